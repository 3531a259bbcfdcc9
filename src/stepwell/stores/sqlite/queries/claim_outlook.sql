-- The earliest instant at which something can be claimed, suspects apart; how many bands of
-- queues and parked names have something due now, and where, if that is one band.
SELECT
    min(earliest), coalesce(sum(earliest <= :now), 0),
    max(CASE WHEN earliest <= :now THEN queue END), max(CASE WHEN earliest <= :now THEN band END)
FROM (
    SELECT queues.value AS queue, bands.value AS band, (
        SELECT schedule_time FROM stepwell_ready
        WHERE queue = queues.value AND priority = bands.value
            AND claimed_by IS NULL AND parked = 0 AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        ORDER BY schedule_time
        LIMIT 1
    ) AS earliest
    FROM json_each(:queues) AS queues CROSS JOIN json_each('[0, 1, 2, 3]') AS bands
    UNION ALL
    SELECT NULL, NULL, (
        SELECT schedule_time FROM stepwell_ready
        WHERE name = names.value AND claimed_by IS NULL AND parked = 1
            AND queue IN (SELECT value FROM json_each(:queues))
        ORDER BY schedule_time
        LIMIT 1
    )
    FROM json_each(:names) AS names
)
