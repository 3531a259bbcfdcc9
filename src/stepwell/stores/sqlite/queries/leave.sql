UPDATE stepwell_ready
SET claimed_by = NULL, claim_request = NULL, claimed_at = NULL, started = 0,
    claim_no = claim_no + 1
WHERE claimed_by = :engine
