-- Counts per queue and state. Of done steps the index by their end is read, not history.
SELECT
    queue,
    CASE
        WHEN claimed_by IS NOT NULL THEN 'running'
        WHEN waiting_for > 0 THEN 'joining'
        WHEN parked = 1 THEN 'parked'
        WHEN schedule_time > UTC_TIMESTAMP(6) THEN 'later'
        WHEN lost_count >= 2 THEN 'suspect'
        WHEN limit_key IS NOT NULL OR rate_key IS NOT NULL THEN 'limited'
        ELSE 'due'
    END AS place,
    COUNT(*),
    MIN(schedule_time)
FROM stepwell_ready
GROUP BY queue, place
UNION ALL
SELECT queue, 'failed', COUNT(*), NULL
FROM stepwell_failed
GROUP BY queue
UNION ALL
SELECT queue, 'done', COUNT(*), NULL
FROM stepwell_done FORCE INDEX (stepwell_done_ended)
WHERE retention IN (0, 1, 2) AND ended_at >= %(since)s
GROUP BY queue
