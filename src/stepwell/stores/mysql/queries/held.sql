-- Those of the claims that still hold, locked by the primary key and in its order.
SELECT id, claim_no, join_id, name, limit_key
FROM stepwell_ready FORCE INDEX (PRIMARY)
WHERE id IN %(ids)s AND (id, claim_no) IN %(claims)s AND claimed_by = %(engine)s
ORDER BY id
FOR UPDATE
