UPDATE stepwell_ready SET join_id = NULL WHERE id = %(id)s
