-- First half of a claim: lock rows of the engine's queues. In each lane due rows are looked for
-- from where they began lately, if that is known, and read from the first that is found: those
-- that have ended stay in the index until vacuum comes. Where several bands or queues
-- have due rows, `seen` looks ahead without a lock, to share the batch out among them (R18).
-- `locked` takes each share from the front of its lane, past rows that other engines are
-- just taking. What those leave behind they will say themselves, so `left_over` looks
-- only behind a share that was filled.
, band AS MATERIALIZED (
    SELECT (number - 1)::smallint AS priority, weight, skew
    FROM unnest(%(weights)s::float8[], %(skew)s::float8[])
        WITH ORDINALITY AS band (weight, skew, number)
), lane AS MATERIALIZED (
    SELECT queue, priority, since, since_id
    FROM me CROSS JOIN unnest(
        %(lane_queues)s::text[], %(lane_bands)s::smallint[],
        %(since)s::timestamptz[], %(since_ids)s::uuid[]
    ) AS here (queue, priority, since, since_id)
), due_lane AS MATERIALIZED (
    SELECT
        lane.queue, lane.priority,
        step.schedule_time AS first_due, step.id AS first_id, count(*) OVER () AS lanes
    FROM lane CROSS JOIN LATERAL (
        SELECT schedule_time, id FROM stepwell_ready
        WHERE queue = lane.queue AND priority = lane.priority
            AND (schedule_time, id) >= (lane.since, lane.since_id)
            AND schedule_time <= statement_timestamp()
            AND claimed_by IS NULL AND NOT parked AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        ORDER BY schedule_time, id
        LIMIT 1
    ) AS step
), front AS (
    SELECT coalesce(
        json_agg(json_build_array(queue, priority, first_due, first_id))::text, '[]'
    ) AS lanes
    FROM due_lane
), seen AS MATERIALIZED (
    SELECT step.id, lane.queue, lane.priority, step.schedule_time, false AS parked
    FROM due_lane AS lane CROSS JOIN LATERAL (
        SELECT id, schedule_time FROM stepwell_ready
        WHERE (lane.lanes > 1 OR EXISTS (SELECT 1 FROM parking))
            AND queue = lane.queue AND priority = lane.priority
            AND (schedule_time, id) >= (lane.first_due, lane.first_id)
            AND schedule_time <= statement_timestamp()
            AND claimed_by IS NULL AND NOT parked AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        ORDER BY schedule_time, id
        LIMIT %(reach)s + 1
    ) AS step
    UNION ALL
    SELECT step.id, parking.queue, step.priority, step.schedule_time, true
    FROM parking CROSS JOIN LATERAL (
        SELECT id, priority, schedule_time FROM stepwell_ready
        WHERE name = parking.name AND queue = parking.queue
            AND schedule_time <= statement_timestamp()
            AND claimed_by IS NULL AND parked AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        ORDER BY schedule_time, id
        LIMIT %(reach)s + 1
    ) AS step
), fair AS MATERIALIZED (
    SELECT *
    FROM (
        SELECT seen.*, (row_number() OVER (
            PARTITION BY seen.priority ORDER BY seen.schedule_time, seen.id
        ) - band.skew) / band.weight AS place
        FROM seen JOIN band USING (priority)
    ) AS ranked
    ORDER BY place, priority
    LIMIT %(reach)s
), share AS MATERIALIZED (
    SELECT queue, priority, count(*) AS size FROM fair WHERE NOT parked GROUP BY queue, priority
    UNION ALL
    SELECT queue, priority, %(reach)s::bigint FROM due_lane
    WHERE lanes = 1 AND %(reach)s > 0 AND NOT EXISTS (SELECT 1 FROM parking)
), suspect AS MATERIALIZED (
    SELECT id, schedule_time FROM stepwell_ready
    WHERE claimed_by IS NULL AND lost_count >= 2
        AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        AND EXISTS (SELECT 1 FROM me)
        AND queue = ANY(%(queues)s::text[]) AND name = ANY(%(names)s::text[])
    ORDER BY schedule_time, id
    LIMIT 2
), suspect_taken AS (
    SELECT id FROM suspect
    WHERE %(alone)s AND schedule_time <= statement_timestamp()
    ORDER BY schedule_time, id
    LIMIT 1
), locked AS MATERIALIZED (
    SELECT step.*
    FROM share JOIN due_lane AS lane USING (queue, priority) CROSS JOIN LATERAL (
        SELECT * FROM stepwell_ready
        WHERE queue = lane.queue AND priority = lane.priority
            AND (schedule_time, id) >= (lane.first_due, lane.first_id)
            AND schedule_time <= statement_timestamp()
            AND claimed_by IS NULL AND NOT parked AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        ORDER BY schedule_time, id
        LIMIT share.size
        FOR UPDATE SKIP LOCKED
    ) AS step
    UNION ALL
    SELECT step.*
    FROM (
        SELECT * FROM stepwell_ready
        WHERE id = ANY(ARRAY(SELECT id FROM fair WHERE parked)) AND claimed_by IS NULL
            AND schedule_time <= statement_timestamp()
        FOR UPDATE SKIP LOCKED
    ) AS step
    UNION ALL
    SELECT step.*
    FROM (
        SELECT * FROM stepwell_ready
        WHERE id = ANY(ARRAY(SELECT id FROM suspect_taken)) AND claimed_by IS NULL
            AND schedule_time <= statement_timestamp()
        FOR UPDATE SKIP LOCKED
    ) AS step
), later AS (
    SELECT min(step.schedule_time) AS due
    FROM (
        SELECT step.schedule_time
        FROM lane CROSS JOIN LATERAL (
            SELECT schedule_time FROM stepwell_ready
            WHERE queue = lane.queue AND priority = lane.priority
                AND schedule_time > statement_timestamp()
                AND claimed_by IS NULL AND NOT parked AND lost_count < 2
                AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
            ORDER BY schedule_time
            LIMIT 1
        ) AS step
        UNION ALL
        SELECT step.schedule_time
        FROM parking CROSS JOIN LATERAL (
            SELECT schedule_time FROM stepwell_ready
            WHERE name = parking.name AND queue = parking.queue
                AND schedule_time > statement_timestamp()
                AND claimed_by IS NULL AND parked AND lost_count < 2
                AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
            ORDER BY schedule_time
            LIMIT 1
        ) AS step
    ) AS step
), left_over AS (
    SELECT first_due AS due FROM due_lane
    WHERE NOT EXISTS (
        SELECT 1 FROM share
        WHERE share.queue = due_lane.queue AND share.priority = due_lane.priority
    )
    UNION ALL
    SELECT (
        SELECT schedule_time FROM stepwell_ready
        WHERE queue = share.queue AND priority = share.priority
            AND (schedule_time, id) > (last.schedule_time, last.id)
            AND schedule_time <= statement_timestamp()
            AND claimed_by IS NULL AND NOT parked AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        ORDER BY schedule_time, id
        LIMIT 1
    )
    FROM share CROSS JOIN LATERAL (
        SELECT schedule_time, id, count(*) OVER () AS rows FROM locked
        WHERE locked.queue = share.queue AND locked.priority = share.priority
        ORDER BY schedule_time DESC, id DESC
        LIMIT 1
    ) AS last
    WHERE last.rows >= share.size
    UNION ALL
    SELECT schedule_time FROM seen
    WHERE parked AND id NOT IN (SELECT id FROM fair)
)
