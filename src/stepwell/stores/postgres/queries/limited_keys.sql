-- First half of a look at limited rows: the pairs of name and keys that have rows waiting,
-- from one to the next by the index, so that the rows behind the first are not read.
WITH me AS MATERIALIZED (
    SELECT id FROM stepwell_engines WHERE id = %(engine_id)s FOR KEY SHARE
), lane AS MATERIALIZED (
    SELECT handled.name, found.keys
    FROM me CROSS JOIN unnest(%(names)s::text[]) AS handled (name)
    CROSS JOIN LATERAL (
        WITH RECURSIVE step (keys) AS (
            (
                SELECT (coalesce(limit_key, '') || chr(31) || coalesce(rate_key, '')) COLLATE "C"
                FROM stepwell_ready
                WHERE name = handled.name
                    AND (coalesce(limit_key, '') || chr(31) || coalesce(rate_key, ''))
                        COLLATE "C" > %(beyond)s::text
                    AND claimed_by IS NULL AND waiting_for = 0
                    AND coalesce(limit_key, rate_key) IS NOT NULL AND lost_count < 2
                ORDER BY 1
                LIMIT 1
            )
            UNION ALL
            SELECT (
                SELECT (coalesce(limit_key, '') || chr(31) || coalesce(rate_key, '')) COLLATE "C"
                FROM stepwell_ready
                WHERE name = handled.name
                    AND (coalesce(limit_key, '') || chr(31) || coalesce(rate_key, ''))
                        COLLATE "C" > step.keys
                    AND claimed_by IS NULL AND waiting_for = 0
                    AND coalesce(limit_key, rate_key) IS NOT NULL AND lost_count < 2
                ORDER BY 1
                LIMIT 1
            )
            FROM step
            WHERE step.keys IS NOT NULL
        )
        SELECT keys FROM step WHERE keys IS NOT NULL
        LIMIT %(keys_at_once)s
    ) AS found
    ORDER BY found.keys
    LIMIT %(keys_at_once)s
)
