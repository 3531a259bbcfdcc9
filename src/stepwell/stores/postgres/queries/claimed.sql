SELECT id, claim_no FROM stepwell_ready WHERE claimed_by = %(engine_id)s ORDER BY id
