-- Claim rows whose keys are locked, and move on the rates that let them go (R20): as of the
-- instant at which it was decided, so that claims are as far apart as their rate says.
WITH locked AS MATERIALIZED (
    SELECT id FROM stepwell_ready
    WHERE id = ANY(%(ids)s) AND claimed_by IS NULL
        AND schedule_time <= statement_timestamp()
    FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE stepwell_controls AS control SET next_free_at = rate.free_at
    FROM unnest(%(rates)s::text[], %(free_at)s::timestamptz[]) AS rate (key, free_at)
    WHERE control.kind = 'rate' AND control.key = rate.key
)
UPDATE stepwell_ready AS step
SET claimed_by = %(engine_id)s,
    claim_request = %(request_id)s,
    claimed_at = %(now)s,
    claim_no = step.claim_no + 1,
    started = false,
    parked = false
FROM locked
WHERE step.id = locked.id AND step.id = ANY(ARRAY(SELECT id FROM locked))
RETURNING
    -- By name: a prepared statement must not change its columns when a migration adds some.
    step.id, step.name, step.flow_id, step.created_at, step.schedule_time, step.queue,
    step.priority, step.unique_key, step.correlation_id, step.search_key,
    step.description, step.created_by_step_id, step.copy_of, step.retention,
    step.state, step.state_format, step.activation_args, step.activation_no,
    step.activation_seen, step.execution_count, step.failure_count, step.lost_count,
    step.execution_started_at, step.execution_duration, step.executed_by,
    step.result, step.result_format, step.ended_at, step.ended_as, step.claimed_by,
    step.claim_no, step.claim_request, step.claimed_at, step.started, step.parked,
    step.fingerprint, step.join_id, step.join_policy, step.waiting_for, step.limit_key,
    step.limit_slots, step.rate_key
