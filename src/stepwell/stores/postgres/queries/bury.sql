DELETE FROM stepwell_engines WHERE id = %(engine_id)s AND beat = %(beat)s RETURNING id
