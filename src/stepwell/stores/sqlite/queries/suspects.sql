SELECT id FROM stepwell_ready
WHERE claimed_by IS NULL AND lost_count >= 2 AND waiting_for = 0
ORDER BY schedule_time, id
LIMIT 20
