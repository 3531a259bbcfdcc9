-- How many rows a table has, about: by its present size, and as dense as at the last vacuum or
-- analyze. Where there was none, 30 to a page: the planner takes an empty one for ten pages, which
-- many partitions make thousands of rows of.
SELECT coalesce(sum(
    pg_relation_size(part.oid) / current_setting('block_size')::integer
    * CASE WHEN part.relpages > 0 AND part.reltuples >= 0
        THEN part.reltuples / part.relpages ELSE 30 END
), 0)::bigint
FROM pg_class AS part
WHERE part.oid IN (
    SELECT relid FROM pg_partition_tree(%(name)s::text::regclass) WHERE isleaf
) OR (part.oid = %(name)s::text::regclass AND part.relkind = 'r')
