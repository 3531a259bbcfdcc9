-- The first due rows of one band of one queue that nobody else holds at this moment.
SELECT id, name, priority, schedule_time
FROM stepwell_ready FORCE INDEX (stepwell_ready_claim)
WHERE open_queue = %(queue)s AND priority = %(band)s AND schedule_time <= UTC_TIMESTAMP(6)
ORDER BY schedule_time, id
LIMIT %(window)s
FOR UPDATE SKIP LOCKED
