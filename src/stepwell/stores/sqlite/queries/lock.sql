SELECT 1 FROM stepwell_ready WHERE id = :id AND claim_no = :claim_no AND claimed_by = :engine
