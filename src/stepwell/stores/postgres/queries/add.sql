-- The step times of ids bound the search of the history: a row cannot have ended before
-- its id was made. OFFSET 0 keeps the look-ups single, by index, whatever the planner thinks.
INSERT INTO stepwell_ready (
    id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
    correlation_id, search_key, description, created_by_step_id, copy_of, retention,
    state, state_format, activation_args, activation_no, activation_seen,
    execution_count, failure_count, lost_count, execution_started_at,
    execution_duration, executed_by, result, result_format, ended_at, ended_as,
    claimed_by, claim_no, claim_request, claimed_at, started, parked,
    fingerprint, join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
)
SELECT
    id, name, flow_id, created_at,
    -- What was due when it was made is due now, however far ahead its maker's clock is (R17).
    CASE
        WHEN schedule_time = created_at THEN least(schedule_time, statement_timestamp())
        ELSE schedule_time
    END,
    queue, priority, unique_key,
    correlation_id, search_key, description, created_by_step_id, copy_of, retention,
    state, state_format, activation_args, activation_no, activation_seen,
    execution_count, failure_count, lost_count, execution_started_at,
    execution_duration, executed_by, result, result_format, ended_at, ended_as,
    claimed_by, claim_no, claim_request, claimed_at, started, parked,
    fingerprint, join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
FROM json_populate_recordset(NULL::stepwell_ready, %(steps)s::text::json) AS step
WHERE NOT EXISTS (
    SELECT 1 FROM stepwell_done AS done
    WHERE done.id = step.id
        AND done.ended_at >= %(oldest)s::timestamptz
        AND done.ended_at < statement_timestamp() + interval '1 day'
    OFFSET 0
)
AND NOT EXISTS (
    SELECT 1 FROM stepwell_failed AS failed
    WHERE failed.id = step.id
        AND failed.ended_at >= %(oldest)s::timestamptz
        AND failed.ended_at < statement_timestamp() + interval '1 day'
    OFFSET 0
)
ON CONFLICT DO NOTHING
RETURNING id, schedule_time <= statement_timestamp() + interval '1 second'
