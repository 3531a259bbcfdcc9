-- The head of a claim from queues: the engine, and under which of its own names rows are
-- parked, in which of its queues.
WITH me AS MATERIALIZED (
    SELECT id FROM stepwell_engines WHERE id = %(engine_id)s FOR KEY SHARE
), parking AS MATERIALIZED (
    SELECT name, queue
    FROM me CROSS JOIN unnest(%(names)s::text[]) AS own (name)
    CROSS JOIN unnest(%(queues)s::text[]) AS here (queue)
    WHERE (
        -- Asked once, for mostly there is none.
        SELECT true FROM stepwell_ready
        WHERE claimed_by IS NULL AND parked AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        LIMIT 1
    ) AND (
        SELECT true FROM stepwell_ready
        WHERE name = own.name AND queue = here.queue
            AND claimed_by IS NULL AND parked AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        LIMIT 1
    )
)
