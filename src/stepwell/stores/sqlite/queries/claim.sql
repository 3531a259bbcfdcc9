-- Gives the columns that rows mostly use, in their order, and the others of those that use any
-- of them. What the claim itself says of a row is not read again: see marking.py.
UPDATE stepwell_ready
SET claimed_by = :engine, claim_request = :request, claimed_at = :now,
    claim_no = claim_no + 1, started = 0, parked = 0
WHERE rowid IN (SELECT value FROM json_each(:rowids))
RETURNING
    id, name, flow_id, created_at, schedule_time, queue, priority, NULL, correlation_id,
    search_key, description, created_by_step_id, NULL, retention, state, state_format, NULL,
    activation_no, activation_seen, execution_count, failure_count, lost_count, NULL,
    execution_duration, NULL, NULL, result_format, claim_no,
    CASE
        WHEN coalesce(
            unique_key, copy_of, activation_args, execution_started_at, executed_by, result,
            fingerprint, join_id, join_policy, limit_key, limit_slots, rate_key
        ) IS NOT NULL
        THEN json_array(
            unique_key, copy_of, activation_args, execution_started_at, executed_by, result,
            fingerprint, join_id, join_policy, limit_key, limit_slots, rate_key
        )
    END
