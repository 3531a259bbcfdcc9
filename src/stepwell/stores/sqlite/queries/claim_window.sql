-- The first due rows of each band of each queue, and of each handled name among the
-- parked. The rows' inner order and limit are per band, so nothing beyond them is read.
SELECT r.rowid, r.id, r.name, r.priority, r.schedule_time
FROM json_each(:queues) AS queues
CROSS JOIN json_each('[0, 1, 2, 3]') AS bands
CROSS JOIN stepwell_ready AS r
WHERE r.rowid IN (
    SELECT rowid FROM stepwell_ready
    WHERE queue = queues.value AND priority = bands.value AND schedule_time <= :now
        AND claimed_by IS NULL AND parked = 0 AND lost_count < 2
        AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
    ORDER BY schedule_time, id
    LIMIT :window
)
UNION ALL
SELECT r.rowid, r.id, r.name, r.priority, r.schedule_time
FROM json_each(:names) AS names
CROSS JOIN stepwell_ready AS r
WHERE r.rowid IN (
    SELECT rowid FROM stepwell_ready
    WHERE name = names.value AND schedule_time <= :now
        AND claimed_by IS NULL AND parked = 1
        AND queue IN (SELECT value FROM json_each(:queues))
    ORDER BY schedule_time, id
    LIMIT :window
)
