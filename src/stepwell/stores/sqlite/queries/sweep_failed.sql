-- Rows go into this table in the order of their ends, so the oldest have the lowest rowids,
-- and no index is needed that every settlement would pay for. A stretch of rows: which are
-- past their time, and which may go, since no open join waits for them (R28).
SELECT
    rowid,
    ended_at < :newest,
    ended_at < CASE retention WHEN 0 THEN :short WHEN 1 THEN :standard ELSE :long END
        AND NOT EXISTS (SELECT 1 FROM stepwell_ready AS ready WHERE ready.id = ended.join_id)
FROM stepwell_failed AS ended
WHERE rowid > :after
ORDER BY rowid
LIMIT :window
