-- A statement of its own: a claim that was still committing when the engine's row was
-- deleted is seen only by a snapshot taken after that.
WITH held AS MATERIALIZED (
    SELECT id, started FROM stepwell_ready
    WHERE claimed_by = %(engine_id)s
    ORDER BY id
    FOR NO KEY UPDATE
), marks AS MATERIALIZED (
    SELECT coalesce(bool_or(started), false) AS any_started FROM held
)
UPDATE stepwell_ready AS step
SET claimed_by = NULL,
    claim_request = NULL,
    claimed_at = NULL,
    started = false,
    claim_no = step.claim_no + 1,
    lost_count = step.lost_count
        + (%(died)s AND (held.started OR NOT marks.any_started))::integer
FROM held CROSS JOIN marks
WHERE step.id = ANY(ARRAY[held.id])
RETURNING step.id, step.lost_count
