"""Failed runs by cause: one line for what went wrong many times."""
