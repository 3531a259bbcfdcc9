-- Which of these ids exist already, in any table (R1).
SELECT id FROM stepwell_ready WHERE id IN %(ids)s
UNION ALL
SELECT id FROM stepwell_done WHERE id IN %(ids)s
UNION ALL
SELECT id FROM stepwell_failed WHERE id IN %(ids)s
