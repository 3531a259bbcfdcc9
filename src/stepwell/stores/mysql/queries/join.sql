INSERT INTO stepwell_engines (id, name, version, handles, queues, beat)
VALUES (%(id)s, %(name)s, %(version)s, %(handles)s, %(queues)s, %(beat)s)
ON DUPLICATE KEY UPDATE id = id
