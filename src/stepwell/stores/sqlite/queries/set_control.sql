-- A rate that is replaced stays closed for as long as it was, and at most for one interval
-- of the new one.
INSERT INTO stepwell_controls (kind, key, slots, period, reason, changed_by, changed_at)
VALUES (:kind, :key, :slots, :period, :reason, :changed_by, :now)
ON CONFLICT (kind, key) DO UPDATE SET
    slots = excluded.slots,
    period = excluded.period,
    next_free_at = min(next_free_at, :open_at),
    reason = excluded.reason,
    changed_by = excluded.changed_by,
    changed_at = excluded.changed_at
