-- What adding calls the values, wherever they come from.
) AS step (
    id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
    correlation_id, search_key, description, created_by_step_id, copy_of, retention,
    state, state_format, activation_args, activation_no, activation_seen,
    execution_count, failure_count, lost_count, execution_started_at,
    execution_duration, executed_by, result, result_format, ended_at, ended_as,
    claimed_by, claim_no, claim_request, claimed_at, started, parked, fingerprint,
    join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
)
