-- The claim by lock where nothing has to be weighed, as mostly: one lane has due rows or none
-- has, and no row is a suspect, limited, or parked under one of the engine's own names. Rows go
-- from the index to the client as they are locked. Where it is otherwise, the long form of the
-- claim is asked. In each lane due rows are read from where they began lately, if that is
-- known: those that have ended stay in the index until vacuum comes.
, lane AS MATERIALIZED (
    SELECT
        queue, priority, since, since_id,
        -- Not EXISTS: that could be answered by reading all rows once.
        (
            SELECT true FROM stepwell_ready
            WHERE queue = here.queue AND priority = here.priority
                AND (schedule_time, id) >= (here.since, here.since_id)
                AND schedule_time <= statement_timestamp()
                AND claimed_by IS NULL AND NOT parked AND lost_count < 2
                AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
            ORDER BY schedule_time, id
            LIMIT 1
        ) AS is_due,
        (
            SELECT schedule_time FROM stepwell_ready
            WHERE queue = here.queue AND priority = here.priority
                AND schedule_time > statement_timestamp()
                AND claimed_by IS NULL AND NOT parked AND lost_count < 2
                AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
            ORDER BY schedule_time
            LIMIT 1
        ) AS later
    FROM me CROSS JOIN unnest(
        %(lane_queues)s::text[], %(lane_bands)s::smallint[],
        %(since)s::timestamptz[], %(since_ids)s::uuid[]
    ) AS here (queue, priority, since, since_id)
), outlook AS MATERIALIZED (
    SELECT
        count(*) FILTER (WHERE is_due) AS lanes,
        min(later) AS later,
        -- As text: it is written once here, and read once, however many rows carry it.
        to_char(
            statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
        ) AS now,
        NOT EXISTS (SELECT 1 FROM parking)
        AND NOT EXISTS (
            SELECT 1 FROM stepwell_ready
            WHERE claimed_by IS NULL AND lost_count >= 2
                AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        )
        AND NOT EXISTS (
            SELECT 1 FROM stepwell_ready
            WHERE claimed_by IS NULL AND waiting_for = 0
                AND coalesce(limit_key, rate_key) IS NOT NULL
        ) AS plain
    FROM lane
), sole AS MATERIALIZED (
    SELECT queue, priority, since, since_id FROM lane, outlook WHERE is_due AND lanes = 1 AND plain
)
SELECT
    outlook.plain AND outlook.lanes = 0, outlook.later, outlook.now,
    {step.locked}
FROM me CROSS JOIN outlook LEFT JOIN (
    SELECT step.* FROM sole CROSS JOIN LATERAL (
        SELECT * FROM stepwell_ready
        WHERE queue = sole.queue AND priority = sole.priority
            AND (schedule_time, id) >= (sole.since, sole.since_id)
            AND schedule_time <= statement_timestamp()
            AND claimed_by IS NULL AND NOT parked AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        ORDER BY schedule_time, id
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ) AS step
) AS step ON true
