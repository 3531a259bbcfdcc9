-- What an operator should know of the database itself.
SELECT
    now(),
    current_setting('server_version_num')::integer,
    current_setting('autovacuum')::boolean,
    coalesce((
        SELECT n_dead_tup FROM pg_stat_user_tables
        WHERE relid = to_regclass('stepwell_ready')
    ), 0),
    coalesce((
        SELECT n_live_tup FROM pg_stat_user_tables
        WHERE relid = to_regclass('stepwell_ready')
    ), 0),
    ARRAY(
        SELECT concat(parent, ' from ', to_char(starts AT TIME ZONE 'UTC', 'YYYY-MM-DD'))
        FROM stepwell_missing_partitions()
        WHERE starts < now() + make_interval(days => %(days)s)
    ),
    EXISTS (SELECT FROM stepwell_done_short_default)
    OR EXISTS (SELECT FROM stepwell_done_standard_default)
    OR EXISTS (SELECT FROM stepwell_done_long_default)
    OR EXISTS (SELECT FROM stepwell_failed_short_default)
    OR EXISTS (SELECT FROM stepwell_failed_standard_default)
    OR EXISTS (SELECT FROM stepwell_failed_long_default),
    ARRAY(SELECT key FROM stepwell_controls WHERE kind = 'pause' ORDER BY key)
