"""What runs, waits and has failed: one run, many at once, their causes and logs."""
