-- By the primary key and in its order, as everybody does who locks rows by their ids: then
-- nobody waits for somebody who waits for him.
SELECT id, started, lost_count, claimed_by, join_id, name
FROM stepwell_ready FORCE INDEX (PRIMARY)
WHERE id IN %(ids)s
ORDER BY id
FOR UPDATE
