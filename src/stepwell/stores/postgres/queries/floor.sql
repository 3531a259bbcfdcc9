SELECT value FROM stepwell_meta WHERE key = 'schema_floor'
