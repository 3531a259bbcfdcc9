-- The first due rows of each pair of name and keys, of each queue and band, and what the
-- controls say of their keys; suspects beside them, and all pairs as rows without a step,
-- for the next claim to go on behind the last. Keys of names that are not handled
-- here, and rows behind the first, are not read.
WITH RECURSIVE lanes (name, keys) AS (
    SELECT value, (
        SELECT coalesce(limit_key, '') || char(31) || coalesce(rate_key, '')
        FROM stepwell_ready INDEXED BY stepwell_ready_keys
        WHERE name = names.value
            AND coalesce(limit_key, '') || char(31) || coalesce(rate_key, '') > :beyond
            AND claimed_by IS NULL AND waiting_for = 0
            AND coalesce(limit_key, rate_key) IS NOT NULL AND lost_count < 2
        ORDER BY coalesce(limit_key, '') || char(31) || coalesce(rate_key, '')
        LIMIT 1
    )
    FROM json_each(:names) AS names
    UNION ALL
    SELECT lanes.name, (
        SELECT coalesce(limit_key, '') || char(31) || coalesce(rate_key, '')
        FROM stepwell_ready INDEXED BY stepwell_ready_keys
        WHERE name = lanes.name
            AND coalesce(limit_key, '') || char(31) || coalesce(rate_key, '') > lanes.keys
            AND claimed_by IS NULL AND waiting_for = 0
            AND coalesce(limit_key, rate_key) IS NOT NULL AND lost_count < 2
        ORDER BY coalesce(limit_key, '') || char(31) || coalesce(rate_key, '')
        LIMIT 1
    )
    FROM lanes
    WHERE lanes.keys IS NOT NULL
    ORDER BY 2
    LIMIT :lanes
), found (place, keys) AS (
    SELECT NULL, keys FROM lanes WHERE keys IS NOT NULL
    UNION ALL
    SELECT step.rowid, NULL
    FROM lanes
    CROSS JOIN json_each(:queues) AS queues
    CROSS JOIN json_each('[0, 1, 2, 3]') AS bands
    CROSS JOIN stepwell_ready AS step
    WHERE step.rowid IN (
        SELECT rowid FROM stepwell_ready INDEXED BY stepwell_ready_keys
        WHERE name = lanes.name
            AND coalesce(limit_key, '') || char(31) || coalesce(rate_key, '') = lanes.keys
            AND queue = queues.value AND priority = bands.value AND schedule_time <= :now
            AND claimed_by IS NULL AND waiting_for = 0
            AND coalesce(limit_key, rate_key) IS NOT NULL AND lost_count < 2
        ORDER BY schedule_time, id
        LIMIT :depth
    )
    UNION ALL
    SELECT rowid, NULL FROM (
        SELECT rowid FROM stepwell_ready INDEXED BY stepwell_ready_suspect
        WHERE claimed_by IS NULL AND lost_count >= 2 AND schedule_time <= :now
            AND waiting_for = 0 AND coalesce(limit_key, rate_key) IS NOT NULL
            AND name IN (SELECT value FROM json_each(:names))
            AND queue IN (SELECT value FROM json_each(:queues))
        ORDER BY schedule_time, id
        LIMIT :depth
    )
)
SELECT
    found.keys, step.rowid, step.id, step.name, step.priority, step.schedule_time, step.limit_key,
    step.limit_slots, step.rate_key, step.lost_count >= 2,
    (
        SELECT count(*) FROM stepwell_ready AS held INDEXED BY stepwell_ready_slots
        WHERE held.limit_key = step.limit_key AND held.claimed_by IS NOT NULL
    ),
    slots.slots, rate.slots, rate.period, rate.next_free_at
FROM found
LEFT JOIN stepwell_ready AS step ON step.rowid = found.place
LEFT JOIN stepwell_controls AS slots ON slots.kind = 'limit' AND slots.key = step.limit_key
LEFT JOIN stepwell_controls AS rate ON rate.kind = 'rate' AND rate.key = step.rate_key
