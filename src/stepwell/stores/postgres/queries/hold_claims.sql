-- Mark rows as claimed that were only locked, unless somebody has taken them since, or the
-- engine was declared dead (R11).
WITH me AS MATERIALIZED (
    SELECT id FROM stepwell_engines WHERE id = %(engine_id)s FOR KEY SHARE
)
UPDATE stepwell_ready AS step
SET claimed_by = %(engine_id)s,
    claim_request = %(request_id)s,
    claimed_at = statement_timestamp(),
    claim_no = claim.claim_no,
    started = false,
    parked = false
FROM unnest(%(ids)s::uuid[], %(claim_nos)s::integer[]) AS claim (id, claim_no)
WHERE step.id = ANY(ARRAY[claim.id]) AND EXISTS (SELECT 1 FROM me)
    AND step.claimed_by IS NULL AND step.claim_no = claim.claim_no - 1
RETURNING step.claimed_at
