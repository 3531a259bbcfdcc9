UPDATE stepwell_ready FORCE INDEX (PRIMARY)
SET claimed_by = %(engine)s,
    claim_request = %(request)s,
    claimed_at = COALESCE(%(at)s, UTC_TIMESTAMP(6)),
    claim_no = claim_no + 1,
    started = 0,
    parked = 0
WHERE id IN %(ids)s
