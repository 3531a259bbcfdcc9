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
        SELECT part
        FROM unnest(ARRAY['done', 'failed']) AS outcome,
            unnest(ARRAY['short', 'standard', 'long']) AS class,
            generate_series(0, %(months)s::integer) AS ahead,
            concat(
                'stepwell_', outcome, '_', class,
                to_char(
                    date_trunc('month', now() AT TIME ZONE 'UTC')
                    + make_interval(months => ahead), '_YYYY_MM'
                )
            ) AS part
        WHERE to_regclass(part) IS NULL
    ),
    EXISTS (SELECT FROM stepwell_done_short_default)
    OR EXISTS (SELECT FROM stepwell_done_standard_default)
    OR EXISTS (SELECT FROM stepwell_done_long_default)
    OR EXISTS (SELECT FROM stepwell_failed_short_default)
    OR EXISTS (SELECT FROM stepwell_failed_standard_default)
    OR EXISTS (SELECT FROM stepwell_failed_long_default),
    ARRAY(SELECT key FROM stepwell_controls WHERE kind = 'pause' ORDER BY key)
