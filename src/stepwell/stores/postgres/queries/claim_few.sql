-- The claim by lock that goes out before an idle engine is awake: the first due rows of each
-- lane, and nothing else is looked at. Where more has to be known the engine asks again.
WITH me AS MATERIALIZED (
    SELECT id FROM stepwell_engines WHERE id = %(engine_id)s FOR KEY SHARE
)
SELECT
    to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now,
    {step.locked}
FROM me CROSS JOIN unnest(
    %(lane_queues)s::text[], %(lane_bands)s::smallint[]
) AS here (queue, priority) CROSS JOIN LATERAL (
    SELECT * FROM stepwell_ready
    WHERE queue = here.queue AND priority = here.priority
        AND schedule_time <= statement_timestamp()
        AND claimed_by IS NULL AND NOT parked AND lost_count < 2
        AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
    ORDER BY schedule_time, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
) AS step
