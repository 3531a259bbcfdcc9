SELECT {columns}
FROM stepwell_ready
WHERE id = ANY(%(ids)s::uuid[]) AND flow_id = %(flow_id)s::uuid
ORDER BY id DESC
LIMIT %(limit)s::bigint
