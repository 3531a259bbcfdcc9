"""Whether a store is well, and whether engines and containers do its work."""
