-- What could be claimed, without a lock: the earliest instant of each band of each queue,
-- of each handled name among the parked, and of suspects and of rows with a limit or rate
-- key that are due and that are not. As a rule there are none of the latter.
-- Each of them is the first row of a stretch of its index; a MIN would read all of it.
SELECT 'engine' AS kind, NULL AS queue, NULL AS name, NULL AS band, UTC_TIMESTAMP(6) AS earliest
FROM stepwell_engines
WHERE id = %(engine)s
UNION ALL
SELECT 'open', queues.queue, NULL, bands.band, (
    SELECT schedule_time
    FROM stepwell_ready FORCE INDEX (stepwell_ready_claim)
    WHERE open_queue = queues.queue AND priority = bands.band
    ORDER BY schedule_time
    LIMIT 1
)
FROM JSON_TABLE(%(queues_json)s, '$[*]' COLUMNS (queue VARCHAR(200) PATH '$')) AS queues
CROSS JOIN (SELECT 0 AS band UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) AS bands
UNION ALL
SELECT 'parked', queues.queue, names.name, NULL, (
    SELECT schedule_time
    FROM stepwell_ready FORCE INDEX (stepwell_ready_parked)
    WHERE parked_name = names.name AND queue = queues.queue
    ORDER BY schedule_time
    LIMIT 1
)
FROM JSON_TABLE(%(names_json)s, '$[*]' COLUMNS (name VARCHAR(200) PATH '$')) AS names
CROSS JOIN JSON_TABLE(%(queues_json)s, '$[*]' COLUMNS (queue VARCHAR(200) PATH '$')) AS queues
WHERE EXISTS (SELECT 1 FROM stepwell_ready WHERE parked_name IS NOT NULL)
UNION ALL
SELECT 'suspect', NULL, NULL, NULL, MIN(suspect_time)
FROM stepwell_ready FORCE INDEX (stepwell_ready_suspect)
WHERE suspect_time IS NOT NULL AND limit_key IS NULL AND rate_key IS NULL
    AND name IN %(names)s AND queue IN %(queues)s
GROUP BY suspect_time <= UTC_TIMESTAMP(6)
UNION ALL
SELECT 'limited', queues.queue, names.name, NULL, (
    SELECT schedule_time
    FROM stepwell_ready FORCE INDEX (stepwell_ready_limited)
    WHERE limited_name = names.name AND queue = queues.queue
    ORDER BY schedule_time
    LIMIT 1
)
FROM JSON_TABLE(%(names_json)s, '$[*]' COLUMNS (name VARCHAR(200) PATH '$')) AS names
CROSS JOIN JSON_TABLE(%(queues_json)s, '$[*]' COLUMNS (queue VARCHAR(200) PATH '$')) AS queues
WHERE EXISTS (SELECT 1 FROM stepwell_ready WHERE limited_name IS NOT NULL)
UNION ALL
SELECT 'limited', queues.queue, names.name, NULL, (
    SELECT schedule_time
    FROM stepwell_ready FORCE INDEX (stepwell_ready_limited)
    WHERE limited_name = names.name AND queue = queues.queue
        AND schedule_time > UTC_TIMESTAMP(6)
    ORDER BY schedule_time
    LIMIT 1
)
FROM JSON_TABLE(%(names_json)s, '$[*]' COLUMNS (name VARCHAR(200) PATH '$')) AS names
CROSS JOIN JSON_TABLE(%(queues_json)s, '$[*]' COLUMNS (queue VARCHAR(200) PATH '$')) AS queues
WHERE EXISTS (SELECT 1 FROM stepwell_ready WHERE limited_name IS NOT NULL)
