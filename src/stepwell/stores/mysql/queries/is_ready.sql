SELECT id FROM stepwell_ready WHERE id = %(id)s
