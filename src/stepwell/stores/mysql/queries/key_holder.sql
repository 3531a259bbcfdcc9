SELECT id FROM stepwell_ready WHERE name = %(name)s AND unique_key = %(unique_key)s
