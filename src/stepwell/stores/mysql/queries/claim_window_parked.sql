-- The first due rows of one parked name in one queue (R19).
SELECT id, name, priority, schedule_time
FROM stepwell_ready FORCE INDEX (stepwell_ready_parked)
WHERE parked_name = %(name)s AND queue = %(queue)s AND schedule_time <= UTC_TIMESTAMP(6)
ORDER BY schedule_time, id
LIMIT %(window)s
FOR UPDATE SKIP LOCKED
