WITH joined AS (
    INSERT INTO stepwell_engines (id, name, version, handles, queues, beat)
    VALUES (%(id)s, %(engine_name)s, %(version)s, %(handles)s::jsonb, %(queues)s::jsonb, %(beat)s)
    ON CONFLICT (id) DO NOTHING
    RETURNING id, beat
)
SELECT statement_timestamp(), id, beat, NULL
FROM (SELECT id, beat FROM joined UNION ALL SELECT id, beat FROM stepwell_engines) AS engine
UNION ALL
SELECT statement_timestamp(), NULL, NULL, key FROM stepwell_controls WHERE kind = 'pause'
