"""Success, failure and durations per workflow and operation, kept as hourly roll-ups (R40)."""
