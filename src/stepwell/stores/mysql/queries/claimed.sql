SELECT id, claim_no FROM stepwell_ready WHERE claimed_by = %(engine)s ORDER BY id
