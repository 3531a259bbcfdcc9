UPDATE stepwell_ready SET started = 1 WHERE id = ? AND claim_no = ? AND claimed_by = ? AND started = 0
