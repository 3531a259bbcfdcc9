-- The suspect that has waited longest (R15).
SELECT id, name, priority, schedule_time
FROM stepwell_ready FORCE INDEX (stepwell_ready_suspect)
WHERE suspect_time <= UTC_TIMESTAMP(6) AND limit_key IS NULL AND rate_key IS NULL
    AND name IN %(names)s
    AND CASE WHEN %(flow)s IS NULL THEN queue IN %(queues)s ELSE flow_id = %(flow)s END
ORDER BY suspect_time, id
LIMIT 1
FOR UPDATE SKIP LOCKED
