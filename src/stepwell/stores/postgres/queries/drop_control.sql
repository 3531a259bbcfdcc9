DELETE FROM stepwell_controls WHERE kind = %(kind)s AND key = %(control_key)s RETURNING key
