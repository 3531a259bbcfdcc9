-- Which of these ids exist already, in any table (R1).
SELECT id FROM stepwell_ready WHERE id IN (SELECT value FROM json_each(:ids))
UNION ALL
SELECT id FROM stepwell_done WHERE id IN (SELECT value FROM json_each(:ids))
UNION ALL
SELECT id FROM stepwell_failed WHERE id IN (SELECT value FROM json_each(:ids))
