-- Rows of steps that had ended before are taken back: they are the same steps (R1). A statement
-- of its own, after the insert: that one waits for whoever is just settling the same id, and
-- only a snapshot taken after it sees what has come of it. The time in an id bounds the search
-- of the history: a row cannot have ended before its id was made. OFFSET 0 keeps the look-ups
-- single, by index, and the array keeps them from being made for each pair of an id and a row,
-- whatever the planner thinks: it takes a table that was empty a minute ago for empty.
DELETE FROM stepwell_ready
WHERE id = ANY(ARRAY(
    SELECT step.id FROM unnest(%(ids)s::text::uuid[]) AS step (id)
    WHERE EXISTS (
        SELECT 1 FROM stepwell_done AS done
        WHERE done.id = step.id
            AND done.ended_at >= %(oldest)s::timestamptz
            AND done.ended_at < statement_timestamp() + interval '1 day'
        OFFSET 0
    )
    OR EXISTS (
        SELECT 1 FROM stepwell_failed AS failed
        WHERE failed.id = step.id
            AND failed.ended_at >= %(oldest)s::timestamptz
            AND failed.ended_at < statement_timestamp() + interval '1 day'
        OFFSET 0
    )
))
RETURNING id
