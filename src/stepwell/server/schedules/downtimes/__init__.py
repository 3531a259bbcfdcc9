"""When no server ticked, what was due meanwhile, and what is decided about it."""
