-- The first due row of each pair of name and keys and of each band, suspects, and what the
-- controls say of their keys.
SELECT
    step.id, step.name, step.priority, step.schedule_time, step.limit_key,
    step.limit_slots, step.rate_key, step.lost_count >= 2,
    (
        SELECT COUNT(*) FROM stepwell_ready AS held FORCE INDEX (stepwell_ready_slots)
        WHERE held.held_key = step.limit_key
    ),
    slots.slots, rate.slots, rate.`period`, rate.next_free_at
FROM (
    SELECT (
        SELECT id
        FROM stepwell_ready FORCE INDEX (stepwell_ready_pairs)
        WHERE limited_name = lane.name AND limited_pair = lane.pair AND priority = bands.band
            AND schedule_time <= UTC_TIMESTAMP(6) AND queue IN %(queues)s
        ORDER BY schedule_time, id
        LIMIT 1
    ) AS id
    FROM JSON_TABLE(%(lanes)s, '$[*]' COLUMNS (
        name VARCHAR(200) PATH '$[0]', pair VARCHAR(401) PATH '$[1]'
    )) AS lane
    CROSS JOIN (
        SELECT 0 AS band UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3
    ) AS bands
    UNION ALL
    (
        SELECT id
        FROM stepwell_ready FORCE INDEX (stepwell_ready_suspect)
        WHERE suspect_time <= UTC_TIMESTAMP(6)
            AND limited_name IN %(names)s AND queue IN %(queues)s
        ORDER BY suspect_time, id
        LIMIT %(depth)s
    )
) AS found
JOIN stepwell_ready AS step ON step.id = found.id
LEFT JOIN stepwell_controls AS slots ON slots.kind = 'limit' AND slots.`key` = step.limit_key
LEFT JOIN stepwell_controls AS rate ON rate.kind = 'rate' AND rate.`key` = step.rate_key
