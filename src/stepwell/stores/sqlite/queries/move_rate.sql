UPDATE stepwell_controls SET next_free_at = ? WHERE kind = 'rate' AND key = ?
