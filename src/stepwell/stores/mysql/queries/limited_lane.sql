-- The first due rows of one pair of name and keys, by band.
SELECT
    step.id, step.name, step.priority, step.schedule_time, step.limit_key,
    step.limit_slots, step.rate_key, step.lost_count >= 2,
    (
        SELECT COUNT(*) FROM stepwell_ready AS held FORCE INDEX (stepwell_ready_slots)
        WHERE held.held_key = step.limit_key
    ),
    slots.slots, rate.slots, rate.`period`, rate.next_free_at
FROM (
    (
        SELECT id
        FROM stepwell_ready FORCE INDEX (stepwell_ready_pairs)
        WHERE limited_name = %(name)s AND limited_pair = %(pair)s AND priority = 0
            AND schedule_time <= UTC_TIMESTAMP(6) AND queue IN %(queues)s
        ORDER BY schedule_time, id
        LIMIT %(depth)s
    )
    UNION ALL
    (
        SELECT id
        FROM stepwell_ready FORCE INDEX (stepwell_ready_pairs)
        WHERE limited_name = %(name)s AND limited_pair = %(pair)s AND priority = 1
            AND schedule_time <= UTC_TIMESTAMP(6) AND queue IN %(queues)s
        ORDER BY schedule_time, id
        LIMIT %(depth)s
    )
    UNION ALL
    (
        SELECT id
        FROM stepwell_ready FORCE INDEX (stepwell_ready_pairs)
        WHERE limited_name = %(name)s AND limited_pair = %(pair)s AND priority = 2
            AND schedule_time <= UTC_TIMESTAMP(6) AND queue IN %(queues)s
        ORDER BY schedule_time, id
        LIMIT %(depth)s
    )
    UNION ALL
    (
        SELECT id
        FROM stepwell_ready FORCE INDEX (stepwell_ready_pairs)
        WHERE limited_name = %(name)s AND limited_pair = %(pair)s AND priority = 3
            AND schedule_time <= UTC_TIMESTAMP(6) AND queue IN %(queues)s
        ORDER BY schedule_time, id
        LIMIT %(depth)s
    )
) AS found
JOIN stepwell_ready AS step ON step.id = found.id
LEFT JOIN stepwell_controls AS slots ON slots.kind = 'limit' AND slots.`key` = step.limit_key
LEFT JOIN stepwell_controls AS rate ON rate.kind = 'rate' AND rate.`key` = step.rate_key
