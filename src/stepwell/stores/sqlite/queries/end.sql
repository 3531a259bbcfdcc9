UPDATE stepwell_ready
SET ended_as = :ended_as, ended_at = :now, description = :reason, result = :result,
    claimed_by = NULL, claim_request = NULL, claimed_at = NULL, started = 0,
    claim_no = claim_no + 1
WHERE id = :id
RETURNING join_id, name
