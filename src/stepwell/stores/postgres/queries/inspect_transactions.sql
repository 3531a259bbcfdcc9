-- What keeps vacuum from removing the rows that a queue leaves behind; oldest first.
SELECT
    pid,
    coalesce(usename, '?'),
    coalesce(nullif(application_name, ''), '?'),
    coalesce(state, '?'),
    extract(epoch FROM clock_timestamp() - xact_start)::double precision AS seconds
FROM pg_stat_activity
WHERE backend_type = 'client backend'
    AND pid <> pg_backend_pid()
    AND xact_start < clock_timestamp() - make_interval(secs => %(seconds)s)
UNION ALL
SELECT
    0,
    owner,
    'prepared transaction ' || gid,
    'prepared',
    extract(epoch FROM clock_timestamp() - prepared)::double precision
FROM pg_prepared_xacts
WHERE prepared < clock_timestamp() - make_interval(secs => %(seconds)s)
ORDER BY 5 DESC
LIMIT 5
