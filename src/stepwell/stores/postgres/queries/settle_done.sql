-- Steps that end well, as most do, under one number of claim: what they share is said once, and
-- nothing is joined. The ids are in order, so that the place of each is found by halving.
over AS (
    DELETE FROM stepwell_ready AS step
    WHERE step.id = ANY(%(told_step_id)s::uuid[])
        AND (
            step.claimed_by = %(told_engine_id)s::uuid
            AND step.claim_no = %(told_claim_no)s::integer
            -- A lock alone, as in settle.sql.
            OR %(told_unwritten)s::boolean
            AND step.claimed_by IS NULL AND step.claim_no = %(told_claim_no)s::integer - 1
        )
