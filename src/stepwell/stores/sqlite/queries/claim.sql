UPDATE stepwell_ready
SET claimed_by = :engine, claim_request = :request, claimed_at = :now,
    claim_no = claim_no + 1, started = 0, parked = 0
WHERE rowid IN (SELECT value FROM json_each(:rowids))
