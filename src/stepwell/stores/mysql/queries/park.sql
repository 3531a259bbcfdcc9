-- Due rows of names that are not handled here leave the claim index (R19).
UPDATE stepwell_ready FORCE INDEX (PRIMARY) SET parked = 1 WHERE id IN %(ids)s
