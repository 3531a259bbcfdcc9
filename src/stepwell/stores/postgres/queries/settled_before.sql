-- Which of these claims an earlier try has settled, whose answer was lost (R13): the rows
-- have ended under the engine's name, or are ready and unclaimed under the same number.
SELECT asked.place
FROM unnest(
    %(told_step_id)s::uuid[],
    %(told_claim_no)s::integer[],
    %(told_engine_id)s::uuid[],
    %(told_execution_started_at)s::timestamptz[]
) WITH ORDINALITY AS asked (step_id, claim_no, engine_id, started_at, place)
WHERE EXISTS (
    SELECT 1 FROM stepwell_ready AS step
    WHERE step.id = asked.step_id
        AND step.claim_no = asked.claim_no
        AND step.claimed_by IS NULL
        -- A lock alone leaves no number: another engine's claim may have had the same.
        AND step.execution_started_at = asked.started_at
    OFFSET 0
) OR EXISTS (
    SELECT 1 FROM stepwell_done AS step
    WHERE step.id = asked.step_id
        AND step.claim_no = asked.claim_no
        AND step.claimed_by = asked.engine_id
    OFFSET 0
) OR EXISTS (
    SELECT 1 FROM stepwell_failed AS step
    WHERE step.id = asked.step_id
        AND step.claim_no = asked.claim_no
        AND step.claimed_by = asked.engine_id
    OFFSET 0
)
