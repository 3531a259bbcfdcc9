SELECT name, queue, COUNT(*), MIN(schedule_time)
FROM stepwell_ready
WHERE claimed_by IS NULL AND parked = 1 AND waiting_for = 0
GROUP BY name, queue
ORDER BY name, queue
