SELECT id
FROM stepwell_ready
WHERE claimed_by IS NULL AND lost_count >= 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
ORDER BY schedule_time, id
LIMIT 20
