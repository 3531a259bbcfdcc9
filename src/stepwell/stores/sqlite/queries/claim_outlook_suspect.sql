-- Whether a suspect is due, and when the next of the others will be.
SELECT
    coalesce(max(schedule_time <= :now), 0),
    min(CASE WHEN schedule_time > :now THEN schedule_time END)
FROM stepwell_ready
WHERE claimed_by IS NULL AND lost_count >= 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
    AND name IN (SELECT value FROM json_each(:names))
    AND CASE
        WHEN :flow IS NULL THEN queue IN (SELECT value FROM json_each(:queues))
        ELSE flow_id = :flow
    END
