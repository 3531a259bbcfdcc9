SELECT UTC_TIMESTAMP(6) AS now, NULL AS id, NULL AS beat, NULL AS paused
UNION ALL
SELECT NULL, id, beat, NULL FROM stepwell_engines
UNION ALL
SELECT NULL, NULL, NULL, `key` FROM stepwell_controls WHERE kind = 'pause'
