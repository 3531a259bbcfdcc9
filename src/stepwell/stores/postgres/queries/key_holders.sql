SELECT id FROM stepwell_ready
WHERE name = %(step_name)s AND unique_key = %(unique_key)s
FOR UPDATE
