-- Lock the rows that wait, and those that wait for them as long as failure rises (R28). The
-- newest first: that is the order in which failure rises, so nobody waits in a circle.
WITH RECURSIVE reached AS (
    SELECT id, join_id, join_policy FROM stepwell_ready
    WHERE id = ANY(%(ids)s) AND waiting_for > 0
    UNION
    SELECT up.id, up.join_id, up.join_policy
    FROM reached JOIN stepwell_ready AS up ON up.id = reached.join_id
    WHERE %(failing)s AND reached.join_policy = 'fail' AND up.waiting_for > 0
)
SELECT id, join_id, name, join_policy
FROM stepwell_ready
WHERE id = ANY(ARRAY(SELECT id FROM reached)) AND waiting_for > 0
ORDER BY id DESC
FOR UPDATE
