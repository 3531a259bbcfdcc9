SELECT kind, `key`, slots, `period`, next_free_at, reason, changed_by, changed_at
FROM stepwell_controls
ORDER BY kind, `key`
