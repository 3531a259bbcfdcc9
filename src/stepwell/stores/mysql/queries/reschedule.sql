-- Taking a claim away raises its number; without a claim the number stays (R8). Assignments
-- happen from left to right.
UPDATE stepwell_ready
SET schedule_time = %(at)s,
    claim_no = claim_no + (claimed_by IS NOT NULL),
    claimed_by = NULL,
    claim_request = NULL,
    claimed_at = NULL,
    started = 0
WHERE id = %(id)s
