DELETE FROM stepwell_engines WHERE id = %(engine)s AND beat = %(beat)s
