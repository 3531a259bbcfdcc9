SELECT id, name, version, handles, queues, beat FROM stepwell_engines ORDER BY id
