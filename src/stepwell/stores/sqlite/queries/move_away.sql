DELETE FROM stepwell_ready WHERE id IN (SELECT value FROM json_each(:ids))
