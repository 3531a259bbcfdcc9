"""What changes, told to live views while it happens."""
