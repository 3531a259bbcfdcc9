SELECT id FROM stepwell_ready WHERE suspect_time IS NOT NULL ORDER BY suspect_time, id LIMIT 20
