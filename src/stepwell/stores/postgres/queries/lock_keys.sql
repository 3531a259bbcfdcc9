-- Those of the keys that nobody else is claiming for; they stay locked until the commit,
-- which everybody sees before the locks fall. Nobody waits, so nobody waits in a circle.
SELECT key FROM unnest(%(lock_keys)s::text[]) AS key
WHERE pg_try_advisory_xact_lock(hashtextextended('stepwell ' || key, 0))
