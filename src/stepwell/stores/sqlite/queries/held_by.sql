-- How many of the claims still hold, and how many of those rows are members of joins.
SELECT count(*), count(ready.join_id)
FROM json_each(:claims) AS claims
CROSS JOIN stepwell_ready AS ready
WHERE ready.id = json_extract(claims.value, '$[0]')
    AND ready.claim_no = json_extract(claims.value, '$[1]')
    AND ready.claimed_by = :engine
