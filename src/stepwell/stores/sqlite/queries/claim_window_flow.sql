-- The due rows of one flow, in any queue (R36); parked ones only if handled here.
SELECT rowid, id, name, priority, schedule_time
FROM stepwell_ready
WHERE flow_id = :flow AND schedule_time <= :now
    AND claimed_by IS NULL AND lost_count < 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
    AND (parked = 0 OR name IN (SELECT value FROM json_each(:names)))
