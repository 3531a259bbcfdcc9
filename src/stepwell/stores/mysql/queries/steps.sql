SELECT {columns}
FROM stepwell_ready
WHERE id IN %(ids)s
