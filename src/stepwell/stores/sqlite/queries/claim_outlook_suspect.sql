-- Whether a suspect is due, and when the next of the others will be; the same of rows with
-- a limit or rate key (R20), suspects or not, of which as a rule there are none at all.
WITH limited (schedule_time) AS (
    SELECT schedule_time FROM stepwell_ready INDEXED BY stepwell_ready_flow
    WHERE :flow IS NOT NULL AND flow_id = :flow
        AND claimed_by IS NULL AND waiting_for = 0
        AND coalesce(limit_key, rate_key) IS NOT NULL
        AND name IN (SELECT value FROM json_each(:names))
    UNION ALL
    SELECT (
        SELECT schedule_time FROM stepwell_ready INDEXED BY stepwell_ready_limited
        WHERE name = names.value AND queue = queues.value
            AND claimed_by IS NULL AND waiting_for = 0
            AND coalesce(limit_key, rate_key) IS NOT NULL
        ORDER BY schedule_time
        LIMIT 1
    )
    FROM json_each(:names) AS names
    CROSS JOIN json_each(:queues) AS queues
    WHERE :flow IS NULL AND EXISTS (
        SELECT 1 FROM stepwell_ready INDEXED BY stepwell_ready_limited
        WHERE claimed_by IS NULL AND waiting_for = 0
            AND coalesce(limit_key, rate_key) IS NOT NULL
    )
    UNION ALL
    SELECT (
        SELECT schedule_time FROM stepwell_ready INDEXED BY stepwell_ready_limited
        WHERE name = names.value AND queue = queues.value AND schedule_time > :now
            AND claimed_by IS NULL AND waiting_for = 0
            AND coalesce(limit_key, rate_key) IS NOT NULL
        ORDER BY schedule_time
        LIMIT 1
    )
    FROM json_each(:names) AS names
    CROSS JOIN json_each(:queues) AS queues
    WHERE :flow IS NULL AND EXISTS (
        SELECT 1 FROM stepwell_ready INDEXED BY stepwell_ready_limited
        WHERE claimed_by IS NULL AND waiting_for = 0
            AND coalesce(limit_key, rate_key) IS NOT NULL
    )
)
SELECT
    coalesce(max(schedule_time <= :now), 0),
    min(CASE WHEN schedule_time > :now THEN schedule_time END),
    (SELECT coalesce(max(schedule_time <= :now), 0) FROM limited),
    (SELECT min(CASE WHEN schedule_time > :now THEN schedule_time END) FROM limited)
FROM stepwell_ready
WHERE claimed_by IS NULL AND lost_count >= 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
    AND name IN (SELECT value FROM json_each(:names))
    AND CASE
        WHEN :flow IS NULL THEN queue IN (SELECT value FROM json_each(:queues))
        ELSE flow_id = :flow
    END
