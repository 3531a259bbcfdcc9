SELECT id FROM stepwell_engines WHERE id = %(engine_id)s FOR KEY SHARE
