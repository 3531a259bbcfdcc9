-- The earliest instant at which something of the flow can be claimed, suspects apart.
SELECT min(schedule_time)
FROM stepwell_ready
WHERE flow_id = :flow
    AND claimed_by IS NULL AND lost_count < 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
    AND (parked = 0 OR name IN (SELECT value FROM json_each(:names)))
