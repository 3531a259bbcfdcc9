UPDATE stepwell_engines SET beat = beat + 1 WHERE id = %(engine)s
