-- The due rows of one flow, in any queue (R36); parked ones only if handled here.
SELECT id, name, priority, schedule_time
FROM stepwell_ready FORCE INDEX (stepwell_ready_flow)
WHERE flow_id = %(flow)s AND schedule_time <= UTC_TIMESTAMP(6)
    AND (open_queue IS NOT NULL OR parked_name IN %(names)s)
ORDER BY schedule_time, id
FOR UPDATE SKIP LOCKED
