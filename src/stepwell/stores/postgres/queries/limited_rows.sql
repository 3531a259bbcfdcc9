-- Second half of a look at limited rows: the first due ones of each pair, queue and band,
-- suspects, or those of one flow, and what the controls say of their keys. A row without
-- a step says that the engine lives, and what time it is; each pair has one too, for the
-- next claim to go on behind the last.
, found AS MATERIALIZED (
    SELECT step.*
    FROM lane CROSS JOIN unnest(%(queues)s::text[]) AS here (queue)
    CROSS JOIN generate_series(0, 3) AS band (priority)
    CROSS JOIN LATERAL (
        SELECT id, name, priority, schedule_time, limit_key, limit_slots, rate_key, lost_count
        FROM stepwell_ready
        WHERE name = lane.name
            AND (coalesce(limit_key, '') || chr(31) || coalesce(rate_key, ''))
                COLLATE "C" = lane.keys
            AND queue = here.queue AND priority = band.priority
            AND schedule_time <= statement_timestamp()
            AND claimed_by IS NULL AND waiting_for = 0
            AND coalesce(limit_key, rate_key) IS NOT NULL AND lost_count < 2
        ORDER BY schedule_time, id
        LIMIT %(depth)s
    ) AS step
    WHERE %(flow_id)s::uuid IS NULL
    UNION ALL
    SELECT step.*
    FROM (
        SELECT id, name, priority, schedule_time, limit_key, limit_slots, rate_key, lost_count
        FROM stepwell_ready
        WHERE claimed_by IS NULL AND waiting_for = 0
            AND coalesce(limit_key, rate_key) IS NOT NULL AND lost_count >= 2
            AND schedule_time <= statement_timestamp()
            AND name = ANY(%(names)s::text[]) AND queue = ANY(%(queues)s::text[])
        ORDER BY schedule_time, id
        LIMIT %(depth)s
    ) AS step
    WHERE %(flow_id)s::uuid IS NULL
    UNION ALL
    SELECT id, name, priority, schedule_time, limit_key, limit_slots, rate_key, lost_count
    FROM stepwell_ready
    WHERE flow_id = %(flow_id)s::uuid AND schedule_time <= statement_timestamp()
        AND claimed_by IS NULL AND waiting_for = 0
        AND coalesce(limit_key, rate_key) IS NOT NULL AND name = ANY(%(names)s::text[])
), held AS MATERIALIZED (
    SELECT one.limit_key, (
        SELECT count(*) FROM stepwell_ready AS step
        WHERE step.limit_key = one.limit_key AND step.claimed_by IS NOT NULL
    ) AS slots
    FROM (SELECT DISTINCT limit_key FROM found WHERE limit_key IS NOT NULL) AS one
)
SELECT
    statement_timestamp() AS now, NULL AS keys, NULL::uuid AS id, NULL AS name,
    NULL::smallint AS priority, NULL::timestamptz AS schedule_time, NULL AS limit_key,
    NULL::integer AS limit_slots, NULL AS rate_key, NULL::boolean AS suspect,
    NULL::bigint AS held, NULL::integer AS slots, NULL::integer AS rate_count,
    NULL::float8 AS rate_period, NULL::timestamptz AS next_free_at
FROM me
UNION ALL
SELECT
    statement_timestamp(), keys,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM lane
UNION ALL
SELECT
    statement_timestamp(), NULL, found.id, found.name, found.priority, found.schedule_time,
    found.limit_key, found.limit_slots, found.rate_key, found.lost_count >= 2,
    coalesce(held.slots, 0), slots.slots, rate.slots, rate.period, rate.next_free_at
FROM found
LEFT JOIN held ON held.limit_key = found.limit_key
LEFT JOIN stepwell_controls AS slots ON slots.kind = 'limit' AND slots.key = found.limit_key
LEFT JOIN stepwell_controls AS rate ON rate.kind = 'rate' AND rate.key = found.rate_key
