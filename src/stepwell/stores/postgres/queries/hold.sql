-- A share of the key keeps the row from ending and hinders nobody else: the heartbeat
-- marks the row, and who takes the claim away is not kept waiting by a handler (R26).
SELECT
    set_config('statement_timeout', %(limit)s::text, true),
    set_config('idle_in_transaction_session_timeout', %(limit)s::text, true)
FROM stepwell_ready
WHERE id = %(step_id)s AND claim_no = %(claim_no)s AND claimed_by = %(engine_id)s
FOR KEY SHARE
