UPDATE stepwell_controls SET next_free_at = %(at)s WHERE kind = 'rate' AND `key` = %(key)s
