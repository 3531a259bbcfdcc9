-- Values come as columns, of which those that are all null or all nothing are empty; by way
-- of text, for not every driver of a lent connection takes an array as such.
INSERT INTO stepwell_ready (
    id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
    correlation_id, search_key, description, created_by_step_id, copy_of, retention,
    state, state_format, activation_args, activation_no, activation_seen,
    execution_count, failure_count, lost_count, execution_started_at,
    execution_duration, executed_by, result, result_format, ended_at, ended_as,
    claimed_by, claim_no, claim_request, claimed_at, started, parked, fingerprint,
    join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
)
SELECT
    id, name, flow_id, created_at,
    -- What was due when it was made is due now, however far ahead its maker's clock is (R17).
    CASE
        WHEN schedule_time = created_at THEN least(schedule_time, statement_timestamp())
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
FROM unnest(
    %(id)s::text::uuid[],
    %(name)s::text::text[],
    %(flow_id)s::text::uuid[],
    %(created_at)s::text::timestamptz[],
    %(schedule_time)s::text::timestamptz[],
    %(queue)s::text::text[],
    %(priority)s::text::smallint[],
    %(unique_key)s::text::text[],
    %(correlation_id)s::text::text[],
    %(search_key)s::text::text[],
    %(description)s::text::text[],
    %(created_by_step_id)s::text::uuid[],
    %(copy_of)s::text::uuid[],
    %(retention)s::text::smallint[],
    %(state)s::text::text[],
    %(state_format)s::text::text[],
    %(activation_args)s::text::text[],
    %(activation_no)s::text::integer[],
    %(activation_seen)s::text::integer[],
    %(execution_count)s::text::integer[],
    %(failure_count)s::text::integer[],
    %(lost_count)s::text::integer[],
    %(execution_started_at)s::text::timestamptz[],
    %(execution_duration)s::text::float8[],
    %(executed_by)s::text::text[],
    %(result)s::text::text[],
    %(result_format)s::text::text[],
    %(ended_at)s::text::timestamptz[],
    %(ended_as)s::text::text[],
    %(claimed_by)s::text::uuid[],
    %(claim_no)s::text::integer[],
    %(claim_request)s::text::uuid[],
    %(claimed_at)s::text::timestamptz[],
    %(started)s::text::boolean[],
    %(parked)s::text::boolean[],
    %(fingerprint)s::text::text[],
    %(join_id)s::text::uuid[],
    %(join_policy)s::text::text[],
    %(waiting_for)s::text::integer[],
    %(limit_key)s::text::text[],
    %(limit_slots)s::text::integer[],
    %(rate_key)s::text::text[]
) AS step (
    id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
    correlation_id, search_key, description, created_by_step_id, copy_of, retention,
    state, state_format, activation_args, activation_no, activation_seen,
    execution_count, failure_count, lost_count, execution_started_at,
    execution_duration, executed_by, result, result_format, ended_at, ended_as,
    claimed_by, claim_no, claim_request, claimed_at, started, parked, fingerprint,
    join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
)
