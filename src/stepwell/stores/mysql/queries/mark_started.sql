UPDATE stepwell_ready SET started = 1 WHERE id IN %(ids)s
