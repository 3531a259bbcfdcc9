SELECT UTC_TIMESTAMP(6), (SELECT COUNT(*) FROM stepwell_engines WHERE id = %(engine)s)
