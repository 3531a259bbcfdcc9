-- What could be claimed of one flow, in any queue (R36), without a lock.
SELECT 'engine' AS kind, NULL AS queue, NULL AS name, NULL AS band, UTC_TIMESTAMP(6) AS earliest
FROM stepwell_engines
WHERE id = %(engine)s
UNION ALL
SELECT 'flow', NULL, NULL, NULL, MIN(schedule_time)
FROM stepwell_ready FORCE INDEX (stepwell_ready_flow)
WHERE flow_id = %(flow)s AND (open_queue IS NOT NULL OR parked_name IN %(names)s)
HAVING MIN(schedule_time) IS NOT NULL
UNION ALL
SELECT 'suspect', NULL, NULL, NULL, MIN(suspect_time)
FROM stepwell_ready FORCE INDEX (stepwell_ready_suspect)
WHERE suspect_time IS NOT NULL AND limit_key IS NULL AND rate_key IS NULL AND name IN %(names)s AND flow_id = %(flow)s
GROUP BY suspect_time <= UTC_TIMESTAMP(6)
UNION ALL
SELECT 'limited', NULL, NULL, NULL, MIN(schedule_time)
FROM stepwell_ready FORCE INDEX (stepwell_ready_flow)
WHERE flow_id = %(flow)s AND limited_name IN %(names)s
GROUP BY schedule_time <= UTC_TIMESTAMP(6)
