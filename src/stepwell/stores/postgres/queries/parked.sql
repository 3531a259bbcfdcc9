SELECT name, queue, count(*), min(schedule_time)
FROM stepwell_ready
WHERE claimed_by IS NULL AND parked AND lost_count < 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
GROUP BY name, queue
ORDER BY name, queue
