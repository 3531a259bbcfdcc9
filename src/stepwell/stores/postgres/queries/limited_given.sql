-- First half of a look at limited rows: pairs of name and keys that are locked by now, so
-- that what this statement counts stays so.
WITH me AS MATERIALIZED (
    SELECT id FROM stepwell_engines WHERE id = %(engine_id)s
), lane AS MATERIALIZED (
    SELECT name, keys
    FROM unnest(%(lane_names)s::text[], %(lane_keys)s::text[]) AS lane (name, keys)
)
