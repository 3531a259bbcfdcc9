-- Assignments happen from left to right, so what is read comes before what is written.
UPDATE stepwell_ready FORCE INDEX (PRIMARY)
SET lost_count = lost_count + (id IN %(blamed)s),
    claim_no = claim_no + 1,
    claimed_by = NULL,
    claim_request = NULL,
    claimed_at = NULL,
    started = 0
WHERE id IN %(ids)s
