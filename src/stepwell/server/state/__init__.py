"""What operations remember between runs: versioned values, by scope and key (R38)."""
