DELETE FROM stepwell_engines WHERE id = %(engine_id)s RETURNING id
