INSERT INTO stepwell_failed
SELECT * FROM stepwell_ready
WHERE id IN (SELECT value FROM json_each(:ids)) AND ended_as IN ('failed', 'cancelled')
