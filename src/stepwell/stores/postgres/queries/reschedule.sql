UPDATE stepwell_ready
SET schedule_time = %(at)s,
    claim_no = claim_no + (claimed_by IS NOT NULL)::integer,
    claimed_by = NULL,
    claim_request = NULL,
    claimed_at = NULL,
    started = false
WHERE id = %(step_id)s
RETURNING schedule_time <= statement_timestamp() + interval '1 second' OR limit_key IS NOT NULL
