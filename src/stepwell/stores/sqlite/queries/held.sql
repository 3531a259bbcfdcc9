-- Those of the claims that still hold.
SELECT ready.id, ready.claim_no, ready.join_id, ready.name
FROM json_each(:claims) AS claims
CROSS JOIN stepwell_ready AS ready
WHERE ready.id = json_extract(claims.value, '$[0]')
    AND ready.claim_no = json_extract(claims.value, '$[1]')
    AND ready.claimed_by = :engine
