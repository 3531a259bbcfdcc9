INSERT INTO stepwell_engines (id, name, version, handles, queues, beat)
VALUES (:id, :name, :version, :handles, :queues, :beat)
ON CONFLICT (id) DO NOTHING
