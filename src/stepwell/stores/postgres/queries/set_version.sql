UPDATE stepwell_meta SET value = %(version)s WHERE key = 'schema_version' RETURNING value
