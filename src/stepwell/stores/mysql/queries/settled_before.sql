-- Claims that were settled under the same number: ended, or ready and unclaimed (R13).
SELECT id, claim_no FROM stepwell_done
WHERE id IN %(ids)s AND (id, claim_no) IN %(claims)s AND claimed_by = %(engine)s
UNION ALL
SELECT id, claim_no FROM stepwell_failed
WHERE id IN %(ids)s AND (id, claim_no) IN %(claims)s AND claimed_by = %(engine)s
UNION ALL
SELECT id, claim_no FROM stepwell_ready
WHERE id IN %(ids)s AND (id, claim_no) IN %(claims)s AND claimed_by IS NULL
