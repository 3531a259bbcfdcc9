-- They are marked as claimed.
, taken AS (
    UPDATE stepwell_ready AS step
    SET claimed_by = %(engine_id)s,
        claim_request = %(request_id)s,
        claimed_at = statement_timestamp(),
        claim_no = step.claim_no + 1,
        started = false,
        parked = false
    FROM ranked
    WHERE step.id = ANY(ARRAY[ranked.id]) AND ranked.place <= %(limit)s
    RETURNING ranked.place, step.*
)
