DELETE FROM stepwell_ready WHERE id = ANY(%(ids)s::text::uuid[]) RETURNING id
