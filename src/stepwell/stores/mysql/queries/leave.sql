DELETE FROM stepwell_engines WHERE id = %(engine)s
