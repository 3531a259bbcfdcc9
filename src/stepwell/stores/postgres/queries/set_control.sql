-- A rate that is replaced stays closed for as long as it was, and at most for one interval
-- of the new one.
INSERT INTO stepwell_controls AS control
    (kind, key, slots, period, reason, changed_by, changed_at)
VALUES (
    %(kind)s, %(control_key)s, %(slots)s::integer, %(period)s::float8, %(reason)s,
    %(changed_by)s, statement_timestamp()
)
ON CONFLICT (kind, key) DO UPDATE SET
    slots = excluded.slots,
    period = excluded.period,
    next_free_at = CASE
        WHEN control.next_free_at IS NOT NULL THEN least(
            control.next_free_at,
            statement_timestamp() + make_interval(secs => %(spacing)s::float8)
        )
    END,
    reason = excluded.reason,
    changed_by = excluded.changed_by,
    changed_at = excluded.changed_at
RETURNING control.key
