-- What a settlement asks for: values come as columns, of which those that are all null are empty.
WITH asked AS MATERIALIZED (
    SELECT
        place, step_id, claim_no, engine_id, ended_as, description,
        coalesce(activation_seen, 0) AS activation_seen,
        coalesce(failure_count, 0) AS failure_count, execution_started_at,
        coalesce(execution_duration, 0) AS execution_duration, executed_by, schedule_time,
        keep_state, state,
        state_format, keep_activation, result, result_format, fingerprint, passes_join, unwritten
    FROM unnest(
        %(step_id)s::uuid[],
        %(claim_no)s::integer[],
        %(engine_id)s::uuid[],
        %(ended_as)s::text[],
        %(description)s::text[],
        %(activation_seen)s::integer[],
        %(failure_count)s::integer[],
        %(execution_started_at)s::timestamptz[],
        %(execution_duration)s::float8[],
        %(executed_by)s::text[],
        %(schedule_time)s::timestamptz[],
        %(keep_state)s::boolean[],
        %(state)s::text[],
        %(state_format)s::text[],
        %(keep_activation)s::boolean[],
        %(result)s::text[],
        %(result_format)s::text[],
        %(fingerprint)s::text[],
        %(passes_join)s::boolean[],
        %(unwritten)s::boolean[]
    ) WITH ORDINALITY AS asked (
        step_id, claim_no, engine_id, ended_as, description, activation_seen, failure_count,
        execution_started_at, execution_duration, executed_by, schedule_time, keep_state, state,
        state_format, keep_activation, result, result_format, fingerprint, passes_join, unwritten,
        place
    )
