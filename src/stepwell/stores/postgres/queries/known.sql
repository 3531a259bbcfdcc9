SELECT id FROM stepwell_steps WHERE id = ANY(%(ids)s)
