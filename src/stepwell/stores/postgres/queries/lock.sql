-- What has been committed while this waited is seen by the next statement only if each has a
-- snapshot of its own.
SELECT
    pg_advisory_xact_lock(hashtextextended(%(criteria)s, 0)),
    current_setting('transaction_isolation')
