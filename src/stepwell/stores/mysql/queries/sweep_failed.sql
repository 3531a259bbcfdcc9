-- Rows of a class that are past their time, but for those that an open join waits for (R28).
SELECT id
FROM stepwell_failed AS ended FORCE INDEX (stepwell_failed_ended)
WHERE retention = %(retention)s AND ended_at < %(before)s
    AND NOT EXISTS (SELECT 1 FROM stepwell_ready AS ready WHERE ready.id = ended.join_id)
ORDER BY ended_at
LIMIT %(limit)s
