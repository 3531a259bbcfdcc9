-- What a settlement asks for: values come as columns, of which those that are all null are empty.
asked AS MATERIALIZED (
    SELECT
        place, step_id, claim_no, engine_id, ended_as, description,
        coalesce(activation_seen, 0) AS activation_seen,
        coalesce(failure_count, 0) AS failure_count, execution_started_at,
        coalesce(execution_duration, 0) AS execution_duration, executed_by, schedule_time,
        keep_state, state,
        state_format, keep_activation, result, result_format, fingerprint, passes_join, unwritten
    FROM unnest(
        %(told_step_id)s::uuid[],
        %(told_claim_no)s::integer[],
        %(told_engine_id)s::uuid[],
        %(told_ended_as)s::text[],
        %(told_description)s::text[],
        %(told_activation_seen)s::integer[],
        %(told_failure_count)s::integer[],
        %(told_execution_started_at)s::timestamptz[],
        %(told_execution_duration)s::float8[],
        %(told_executed_by)s::text[],
        %(told_schedule_time)s::timestamptz[],
        %(told_keep_state)s::boolean[],
        %(told_state)s::text[],
        %(told_state_format)s::text[],
        %(told_keep_activation)s::boolean[],
        %(told_result)s::text[],
        %(told_result_format)s::text[],
        %(told_fingerprint)s::text[],
        %(told_passes_join)s::boolean[],
        %(told_unwritten)s::boolean[]
    ) WITH ORDINALITY AS asked (
        step_id, claim_no, engine_id, ended_as, description, activation_seen, failure_count,
        execution_started_at, execution_duration, executed_by, schedule_time, keep_state, state,
        state_format, keep_activation, result, result_format, fingerprint, passes_join, unwritten,
        place
    )
    WHERE true  -- settle_if_alive.sql may follow
