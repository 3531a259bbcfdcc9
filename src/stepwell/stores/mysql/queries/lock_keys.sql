-- Those that nobody else is claiming for; they stay locked until the commit. Nobody waits,
-- so nobody waits in a circle.
SELECT `key` FROM stepwell_meta WHERE `key` IN %(locks)s FOR UPDATE SKIP LOCKED
