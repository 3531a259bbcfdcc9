-- Where due rows of names that are handled begin, in each lane that has some, past those that
-- other engines are just taking. The flood is read without locks: with them each row would be
-- asked for all that the index says already, which takes twice as long.
SELECT here.queue, here.priority, step.schedule_time, step.id
FROM unnest(
    %(lane_queues)s::text[], %(lane_bands)s::smallint[],
    %(since)s::timestamptz[], %(since_ids)s::uuid[]
) AS here (queue, priority, since, since_id)
CROSS JOIN LATERAL (
    SELECT schedule_time, id FROM stepwell_ready
    WHERE queue = here.queue AND priority = here.priority
        AND (schedule_time, id) >= (here.since, here.since_id)
        AND schedule_time <= statement_timestamp()
        AND claimed_by IS NULL AND NOT parked AND lost_count < 2
        AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        AND name = ANY(%(names)s::text[])
    ORDER BY schedule_time, id
    LIMIT 1
) AS first
CROSS JOIN LATERAL (
    SELECT schedule_time, id FROM stepwell_ready
    WHERE queue = here.queue AND priority = here.priority
        AND (schedule_time, id) >= (first.schedule_time, first.id)
        AND schedule_time <= statement_timestamp()
        AND claimed_by IS NULL AND NOT parked AND lost_count < 2
        AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        AND name = ANY(%(names)s::text[])
    ORDER BY schedule_time, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
) AS step
