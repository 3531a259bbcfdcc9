-- Those of the rows that are still free.
SELECT id
FROM stepwell_ready FORCE INDEX (PRIMARY)
WHERE id IN %(ids)s AND limited_name IS NOT NULL AND schedule_time <= UTC_TIMESTAMP(6)
FOR UPDATE SKIP LOCKED
