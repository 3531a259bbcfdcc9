"""The server's own tables, their migrations, and how a transaction is opened."""
