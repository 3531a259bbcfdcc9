-- Claims that were settled under the same number: ended, or ready and unclaimed (R13).
WITH claims AS (
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS claim_no
    FROM json_each(:claims)
)
SELECT id, claim_no FROM claims CROSS JOIN stepwell_done USING (id, claim_no) WHERE claimed_by = :engine
UNION ALL
SELECT id, claim_no FROM claims CROSS JOIN stepwell_failed USING (id, claim_no) WHERE claimed_by = :engine
UNION ALL
SELECT id, claim_no FROM claims CROSS JOIN stepwell_ready USING (id, claim_no) WHERE claimed_by IS NULL
