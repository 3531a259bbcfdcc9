INSERT INTO stepwell_failed ({columns})
SELECT {columns}
FROM stepwell_ready FORCE INDEX (PRIMARY)
WHERE id IN %(ids)s AND ended_as IN ('failed', 'cancelled')
