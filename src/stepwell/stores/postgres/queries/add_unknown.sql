-- The second part of adding: rows whose ids may be known already (R1). The time in an id
-- bounds the search of the history: a row cannot have ended before its id was made. OFFSET 0
-- keeps the look-ups single, by index, whatever the planner thinks.
WHERE NOT EXISTS (
    SELECT 1 FROM stepwell_done AS done
    WHERE done.id = step.id
        AND done.ended_at >= %(oldest)s::timestamptz
        AND done.ended_at < statement_timestamp() + interval '1 day'
    OFFSET 0
)
AND NOT EXISTS (
    SELECT 1 FROM stepwell_failed AS failed
    WHERE failed.id = step.id
        AND failed.ended_at >= %(oldest)s::timestamptz
        AND failed.ended_at < statement_timestamp() + interval '1 day'
    OFFSET 0
)
