-- Claim rows whose keys are locked, and move on the rates that let them go (R20): as of the
-- instant at which it was decided, so that claims are as far apart as their rate says.
WITH locked AS MATERIALIZED (
    SELECT id FROM stepwell_ready
    WHERE id = ANY(%(ids)s) AND claimed_by IS NULL
        AND schedule_time <= statement_timestamp()
    FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE stepwell_controls AS control SET next_free_at = rate.free_at
    FROM unnest(%(rates)s::text[], %(free_at)s::timestamptz[]) AS rate (key, free_at)
    WHERE control.kind = 'rate' AND control.key = rate.key
)
UPDATE stepwell_ready AS step
SET claimed_by = %(engine_id)s,
    claim_request = %(request_id)s,
    claimed_at = %(now)s,
    claim_no = step.claim_no + 1,
    started = false,
    parked = false
FROM locked
WHERE step.id = ANY(ARRAY[locked.id])
RETURNING
    {step.columns}
