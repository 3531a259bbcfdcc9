-- Give the dead engine's claims back; the blame goes to what it had started, or to all
-- if nothing shows the mark (R15). A row that has now lost five engines is marked failed.
UPDATE stepwell_ready
SET claimed_by = NULL, claim_request = NULL, claimed_at = NULL, started = 0,
    claim_no = claim_no + 1,
    lost_count = lost_count + blame,
    ended_as = CASE WHEN lost_count + blame >= :limit THEN 'failed' END,
    ended_at = CASE WHEN lost_count + blame >= :limit THEN :now END,
    description = CASE WHEN lost_count + blame >= :limit THEN :reason ELSE description END
FROM (
    SELECT id AS place, (started OR NOT max(started) OVER ()) AS blame
    FROM stepwell_ready
    WHERE claimed_by = :engine
)
WHERE stepwell_ready.id = place
RETURNING stepwell_ready.id, ended_as, join_id, name
