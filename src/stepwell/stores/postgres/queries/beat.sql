-- A row that somebody locks is being settled or changed: it needs no mark any more, and
-- is held until that has happened.
WITH me AS (
    UPDATE stepwell_engines SET beat = beat + 1 WHERE id = %(engine_id)s RETURNING id
), held AS MATERIALIZED (
    SELECT step.id, step.claim_no
    FROM unnest(%(ids)s::uuid[], %(claim_nos)s::integer[]) AS claim (id, claim_no)
    JOIN stepwell_ready AS step
        ON step.id = ANY(ARRAY[claim.id]) AND step.claim_no = claim.claim_no
    WHERE step.claimed_by IS NOT DISTINCT FROM %(engine_id)s
), running AS MATERIALIZED (
    SELECT step.id
    FROM unnest(%(ids)s::uuid[], %(claim_nos)s::integer[]) AS claim (id, claim_no)
    JOIN stepwell_ready AS step
        ON step.id = ANY(ARRAY[claim.id]) AND step.claim_no = claim.claim_no
    WHERE step.claimed_by IS NOT DISTINCT FROM %(engine_id)s AND NOT step.started
    FOR NO KEY UPDATE OF step SKIP LOCKED
), marked AS (
    UPDATE stepwell_ready AS step SET started = true
    FROM running WHERE step.id = ANY(ARRAY[running.id])
)
SELECT statement_timestamp(), engine.id, engine.beat + (engine.id = me.id)::integer, NULL, false
FROM me CROSS JOIN stepwell_engines AS engine
UNION ALL
SELECT statement_timestamp(), NULL, NULL, key, false
FROM me CROSS JOIN stepwell_controls
WHERE kind = 'pause'
UNION ALL
SELECT statement_timestamp(), held.id, held.claim_no, NULL, true
FROM me CROSS JOIN held
