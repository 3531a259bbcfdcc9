INSERT INTO stepwell_done ({columns})
SELECT {columns}
FROM stepwell_ready FORCE INDEX (PRIMARY)
WHERE id IN %(ids)s AND ended_as IN ('done', 'skipped')
