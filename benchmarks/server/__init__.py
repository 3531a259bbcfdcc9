"""How light and how quick the server is: `make bench-server`."""
