INSERT INTO stepwell_done
SELECT * FROM stepwell_ready
WHERE id IN (SELECT value FROM json_each(:ids)) AND ended_as IN ('done', 'skipped')
