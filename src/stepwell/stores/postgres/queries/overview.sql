-- Counts per queue and state. Names of done steps are found one after the other in the
-- index (name, ended_at), so that history is skipped and not read.
WITH RECURSIVE names (name) AS (
    (SELECT name FROM stepwell_done ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (
        SELECT one.name FROM stepwell_done AS one
        WHERE one.name > names.name ORDER BY one.name LIMIT 1
    )
    FROM names
    WHERE names.name IS NOT NULL
)
SELECT
    queue,
    CASE
        WHEN claimed_by IS NOT NULL THEN 'running'
        WHEN waiting_for > 0 THEN 'joining'
        WHEN parked THEN 'parked'
        WHEN schedule_time > now() THEN 'later'
        WHEN lost_count >= 2 THEN 'suspect'
        WHEN limit_key IS NOT NULL OR rate_key IS NOT NULL THEN 'limited'
        ELSE 'due'
    END AS state,
    count(*),
    min(schedule_time)
FROM stepwell_ready
GROUP BY 1, 2
UNION ALL
SELECT queue, 'failed', count(*), NULL
FROM stepwell_failed
GROUP BY 1
UNION ALL
SELECT ended.queue, 'done', count(*), NULL
FROM names
CROSS JOIN LATERAL (
    SELECT one.queue FROM stepwell_done AS one
    WHERE one.name = names.name AND one.ended_at >= %(since)s
) AS ended
GROUP BY 1
