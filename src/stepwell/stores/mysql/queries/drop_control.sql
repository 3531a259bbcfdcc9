DELETE FROM stepwell_controls WHERE kind = %(kind)s AND `key` = %(key)s
