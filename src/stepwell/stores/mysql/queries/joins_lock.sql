-- The newest first: that is the order in which failure rises, so nobody waits in a circle.
SELECT id, join_id, name, join_policy
FROM stepwell_ready FORCE INDEX (PRIMARY)
WHERE id IN %(ids)s AND waiting_for > 0
ORDER BY id DESC
FOR UPDATE
