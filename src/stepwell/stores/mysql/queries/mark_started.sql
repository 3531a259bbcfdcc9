UPDATE stepwell_ready FORCE INDEX (PRIMARY) SET started = 1 WHERE id IN %(ids)s
