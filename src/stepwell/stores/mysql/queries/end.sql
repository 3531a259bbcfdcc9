UPDATE stepwell_ready FORCE INDEX (PRIMARY)
SET ended_as = %(ended_as)s,
    ended_at = UTC_TIMESTAMP(6),
    description = %(reason)s,
    result = %(result)s,
    claimed_by = NULL,
    claim_request = NULL,
    claimed_at = NULL,
    started = 0,
    claim_no = claim_no + %(raised)s
WHERE id IN %(ids)s
