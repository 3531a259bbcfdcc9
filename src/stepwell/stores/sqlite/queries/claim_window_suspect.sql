-- The suspect that has waited longest (R15).
SELECT rowid, id, name, priority, schedule_time
FROM stepwell_ready
WHERE claimed_by IS NULL AND lost_count >= 2 AND schedule_time <= :now
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
    AND name IN (SELECT value FROM json_each(:names))
    AND CASE
        WHEN :flow IS NULL THEN queue IN (SELECT value FROM json_each(:queues))
        ELSE flow_id = :flow
    END
ORDER BY schedule_time, id
LIMIT 1
