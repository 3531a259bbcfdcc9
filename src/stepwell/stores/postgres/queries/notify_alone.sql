-- A transaction of nothing but this keeps nothing that must be durable; and the lock of the whole
-- cluster that a NOTIFY's commit holds should not wait for a disk.
SELECT set_config('synchronous_commit', 'off', true), pg_notify('stepwell_wake', %(by)s::text)
