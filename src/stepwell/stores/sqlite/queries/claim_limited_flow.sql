-- The due rows of one flow that have a limit or rate key, in any queue (R36), and what the
-- controls say of their keys.
SELECT
    NULL, step.rowid, step.id, step.name, step.priority, step.schedule_time, step.limit_key,
    step.limit_slots, step.rate_key, step.lost_count >= 2,
    (
        SELECT count(*) FROM stepwell_ready AS held INDEXED BY stepwell_ready_slots
        WHERE held.limit_key = step.limit_key AND held.claimed_by IS NOT NULL
    ),
    slots.slots, rate.slots, rate.period, rate.next_free_at
FROM stepwell_ready AS step INDEXED BY stepwell_ready_flow
LEFT JOIN stepwell_controls AS slots ON slots.kind = 'limit' AND slots.key = step.limit_key
LEFT JOIN stepwell_controls AS rate ON rate.kind = 'rate' AND rate.key = step.rate_key
WHERE step.flow_id = :flow AND step.schedule_time <= :now
    AND step.claimed_by IS NULL AND step.waiting_for = 0
    AND coalesce(step.limit_key, step.rate_key) IS NOT NULL
    AND step.name IN (SELECT value FROM json_each(:names))
