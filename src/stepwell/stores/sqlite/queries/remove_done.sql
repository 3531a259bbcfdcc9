-- The time once more: another process may have removed these rows, and new ones got the numbers.
DELETE FROM stepwell_done
WHERE rowid IN (SELECT value FROM json_each(:rowids)) AND ended_at < :newest
