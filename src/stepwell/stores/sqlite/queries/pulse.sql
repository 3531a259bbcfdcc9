SELECT id, beat FROM stepwell_engines
UNION ALL
SELECT key, NULL FROM stepwell_controls WHERE kind = 'pause'
