-- The rows that wait, and those that wait for them as long as failure rises (R28).
WITH RECURSIVE reached AS (
    SELECT id, join_id, join_policy FROM stepwell_ready
    WHERE id IN %(ids)s AND waiting_for > 0
    UNION
    SELECT up.id, up.join_id, up.join_policy
    FROM reached JOIN stepwell_ready AS up ON up.id = reached.join_id
    WHERE reached.join_policy = 'fail' AND up.waiting_for > 0
)
SELECT id FROM reached
