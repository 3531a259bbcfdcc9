-- The last part of a settlement.
--
-- One row: whether something of it is due, which were applied if not all were, and of what ends
-- the members of joins with their names (R28).
SELECT
    bool_or(due),
    CASE WHEN count(*) < cardinality(%(told_step_id)s::uuid[]) THEN array_agg(place) END,
    array_agg(place) FILTER (WHERE join_id IS NOT NULL),
    array_agg(join_id) FILTER (WHERE join_id IS NOT NULL),
    array_agg(name) FILTER (WHERE join_id IS NOT NULL)
FROM (
    SELECT place, limit_key IS NOT NULL AS due, join_id, name FROM over
    UNION ALL
    SELECT place, due, NULL, NULL FROM again
) AS applied
