-- The rows that wait, and those that wait for them as long as failure rises (R28).
WITH RECURSIVE reached (id, join_id, name, join_policy) AS (
    SELECT id, join_id, name, join_policy FROM stepwell_ready
    WHERE id IN (SELECT value FROM json_each(:ids)) AND waiting_for > 0
    UNION
    SELECT up.id, up.join_id, up.name, up.join_policy
    FROM reached CROSS JOIN stepwell_ready AS up
    WHERE :failing AND reached.join_policy = 'fail'
        AND up.id = reached.join_id AND up.waiting_for > 0
)
SELECT id, join_id, name, join_policy FROM reached
