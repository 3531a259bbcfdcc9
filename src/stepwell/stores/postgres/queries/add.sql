-- Add rows: the first part, before where they come from.
INSERT INTO stepwell_ready ({columns})
SELECT
    id, name, flow_id, created_at,
    -- What was due when it was made is due now, however far ahead its maker's clock is (R17).
    CASE
        WHEN coalesce(schedule_time, created_at) = created_at
        THEN least(created_at, statement_timestamp())
        ELSE schedule_time
    END,
    queue, coalesce(priority, 0), unique_key, correlation_id, search_key, description,
    created_by_step_id, copy_of, coalesce(retention, 0), state, state_format, activation_args,
    coalesce(activation_no, 0), coalesce(activation_seen, 0), coalesce(execution_count, 0),
    coalesce(failure_count, 0), coalesce(lost_count, 0), execution_started_at,
    execution_duration, executed_by, result, result_format, ended_at, ended_as, claimed_by,
    coalesce(claim_no, 0), claim_request, claimed_at, coalesce(started, false),
    coalesce(parked, false), fingerprint, join_id, join_policy, coalesce(waiting_for, 0),
    limit_key, limit_slots, rate_key
