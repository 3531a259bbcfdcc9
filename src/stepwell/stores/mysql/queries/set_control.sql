-- A rate that is replaced stays closed for as long as it was, and at most for one interval
-- of the new one.
INSERT INTO stepwell_controls (kind, `key`, slots, `period`, reason, changed_by, changed_at)
VALUES (
    %(kind)s, %(key)s, %(slots)s, %(period)s, %(reason)s, %(changed_by)s, UTC_TIMESTAMP(6)
)
ON DUPLICATE KEY UPDATE
    slots = %(slots)s,
    `period` = %(period)s,
    next_free_at = LEAST(
        next_free_at, UTC_TIMESTAMP(6) + INTERVAL %(microseconds)s MICROSECOND
    ),
    reason = %(reason)s,
    changed_by = %(changed_by)s,
    changed_at = UTC_TIMESTAMP(6)
