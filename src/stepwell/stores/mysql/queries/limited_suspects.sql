-- The suspects among rows with a limit or rate key (R15).
SELECT
    step.id, step.name, step.priority, step.schedule_time, step.limit_key,
    step.limit_slots, step.rate_key, step.lost_count >= 2,
    (
        SELECT COUNT(*) FROM stepwell_ready AS held FORCE INDEX (stepwell_ready_slots)
        WHERE held.held_key = step.limit_key
    ),
    slots.slots, rate.slots, rate.`period`, rate.next_free_at
FROM (
    SELECT id
    FROM stepwell_ready FORCE INDEX (stepwell_ready_suspect)
    WHERE suspect_time <= UTC_TIMESTAMP(6)
        AND limited_name IN %(names)s AND queue IN %(queues)s
    ORDER BY suspect_time, id
    LIMIT %(depth)s
) AS found
JOIN stepwell_ready AS step ON step.id = found.id
LEFT JOIN stepwell_controls AS slots ON slots.kind = 'limit' AND slots.`key` = step.limit_key
LEFT JOIN stepwell_controls AS rate ON rate.kind = 'rate' AND rate.`key` = step.rate_key
