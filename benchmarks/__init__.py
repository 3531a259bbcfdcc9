"""How fast Stepwell is, beside a plain loop on the same tables and beside its peers."""
