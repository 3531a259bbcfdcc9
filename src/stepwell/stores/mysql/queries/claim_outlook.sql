-- What could be claimed, without a lock: the earliest instant of each band of each queue,
-- of each handled name among the parked, and of suspects that are due and that are not.
-- Each of the first two reads one row of its index per group.
SELECT 'engine' AS kind, NULL AS queue, NULL AS name, NULL AS band, UTC_TIMESTAMP(6) AS earliest
FROM stepwell_engines
WHERE id = %(engine)s
UNION ALL
SELECT 'open', open_queue, NULL, priority, MIN(schedule_time)
FROM stepwell_ready FORCE INDEX (stepwell_ready_claim)
WHERE open_queue IN %(queues)s
GROUP BY open_queue, priority
UNION ALL
SELECT 'parked', queue, parked_name, NULL, MIN(schedule_time)
FROM stepwell_ready FORCE INDEX (stepwell_ready_parked)
WHERE parked_name IN %(names)s AND queue IN %(queues)s
GROUP BY parked_name, queue
UNION ALL
SELECT 'suspect', NULL, NULL, NULL, MIN(suspect_time)
FROM stepwell_ready FORCE INDEX (stepwell_ready_suspect)
WHERE suspect_time IS NOT NULL AND name IN %(names)s AND queue IN %(queues)s
GROUP BY suspect_time <= UTC_TIMESTAMP(6)
