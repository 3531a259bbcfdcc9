-- A look and no lock: InnoDB has none that would keep the row from ending and let the
-- heartbeat mark it. Settling matches the claim again, and rolls back where it fell (R26).
SELECT 1 FROM stepwell_ready
WHERE id = %(id)s AND claim_no = %(claim_no)s AND claimed_by = %(engine)s
