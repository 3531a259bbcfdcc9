-- The last part of a settlement.
--
-- One row: whether something of it is due, which were applied if not all were, and of what ends
-- the members of joins with their names (R28).
, members AS MATERIALIZED (
    SELECT array_agg(place) AS places, array_agg(join_id) AS joins, array_agg(name) AS names
    FROM applied
    WHERE join_id IS NOT NULL
)
SELECT
    bool_or(due),
    CASE
        WHEN count(*) < cardinality(%(told_step_id)s::uuid[])
        THEN (SELECT array_agg(place) FROM applied)
    END,
    (SELECT places FROM members),
    (SELECT joins FROM members),
    (SELECT names FROM members)
FROM applied
