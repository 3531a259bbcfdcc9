-- The due rows of one flow that have a limit or rate key, in any queue (R36).
SELECT
    step.id, step.name, step.priority, step.schedule_time, step.limit_key,
    step.limit_slots, step.rate_key, step.lost_count >= 2,
    (
        SELECT COUNT(*) FROM stepwell_ready AS held FORCE INDEX (stepwell_ready_slots)
        WHERE held.held_key = step.limit_key
    ),
    slots.slots, rate.slots, rate.`period`, rate.next_free_at
FROM stepwell_ready AS step FORCE INDEX (stepwell_ready_flow)
LEFT JOIN stepwell_controls AS slots ON slots.kind = 'limit' AND slots.`key` = step.limit_key
LEFT JOIN stepwell_controls AS rate ON rate.kind = 'rate' AND rate.`key` = step.rate_key
WHERE step.flow_id = %(flow)s AND step.schedule_time <= UTC_TIMESTAMP(6)
    AND step.limited_name IN %(names)s
