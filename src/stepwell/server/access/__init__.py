"""Who may do what: roles, and API tokens that are shown once and kept as hashes."""
