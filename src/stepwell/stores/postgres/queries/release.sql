WITH held AS MATERIALIZED (
    SELECT step.id
    FROM unnest(%(ids)s::uuid[], %(claim_nos)s::integer[]) AS claim (id, claim_no)
    JOIN stepwell_ready AS step
        ON step.id = ANY(ARRAY[claim.id]) AND step.claim_no = claim.claim_no
    WHERE step.claimed_by IS NOT DISTINCT FROM %(engine_id)s
    ORDER BY claim.id
    FOR NO KEY UPDATE OF step
)
UPDATE stepwell_ready AS step
SET claimed_by = NULL,
    claim_request = NULL,
    claimed_at = NULL,
    started = false,
    claim_no = step.claim_no + 1
FROM held
WHERE step.id = ANY(ARRAY[held.id])
RETURNING step.id
