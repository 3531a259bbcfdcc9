-- They stay as they are: the lock is the claim, under the number that it would have got.
, taken AS (
    SELECT
        step.place, step.id, step.name, step.flow_id, step.created_at, step.schedule_time,
        step.queue, step.priority, step.unique_key, step.correlation_id, step.search_key,
        step.description, step.created_by_step_id, step.copy_of, step.retention, step.state,
        step.state_format, step.activation_args, step.activation_no, step.activation_seen,
        step.execution_count, step.failure_count, step.lost_count,
        step.execution_started_at, step.execution_duration, step.executed_by, step.result,
        step.result_format, step.ended_at, step.ended_as, step.claimed_by,
        step.claim_no + 1 AS claim_no, step.claim_request,
        statement_timestamp() AS claimed_at, step.started, step.parked, step.fingerprint,
        step.join_id, step.join_policy, step.waiting_for,
        step.limit_key, step.limit_slots, step.rate_key
    FROM ranked AS step WHERE step.place <= %(limit)s
)
