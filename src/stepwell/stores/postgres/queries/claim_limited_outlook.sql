-- Between the halves of a claim: when rows with a limit or rate key are due, which it does
-- not take (R20). As a rule there are none, and one look into an empty index says so.
, limited AS MATERIALIZED (
    SELECT step.schedule_time
    FROM me CROSS JOIN unnest(%(names)s::text[]) AS handled (name)
    CROSS JOIN unnest(%(queues)s::text[]) AS here (queue)
    CROSS JOIN LATERAL (
        (
            SELECT schedule_time FROM stepwell_ready
            WHERE name = handled.name AND queue = here.queue
                AND claimed_by IS NULL AND waiting_for = 0
                AND coalesce(limit_key, rate_key) IS NOT NULL
            ORDER BY schedule_time
            LIMIT 1
        )
        UNION ALL
        (
            SELECT schedule_time FROM stepwell_ready
            WHERE name = handled.name AND queue = here.queue
                AND schedule_time > statement_timestamp()
                AND claimed_by IS NULL AND waiting_for = 0
                AND coalesce(limit_key, rate_key) IS NOT NULL
            ORDER BY schedule_time
            LIMIT 1
        )
    ) AS step
    WHERE %(flow_id)s::uuid IS NULL AND EXISTS (
        SELECT 1 FROM stepwell_ready
        WHERE claimed_by IS NULL AND waiting_for = 0
            AND coalesce(limit_key, rate_key) IS NOT NULL
    )
    UNION ALL
    SELECT schedule_time FROM stepwell_ready
    WHERE flow_id = %(flow_id)s::uuid AND claimed_by IS NULL AND waiting_for = 0
        AND coalesce(limit_key, rate_key) IS NOT NULL
        AND name = ANY(%(names)s::text[])
)
