-- What a settlement asks for where all share most of it, as they mostly do: the server reads
-- each shared value once. Columns as in settle_each.sql.
asked AS MATERIALIZED (
    SELECT
        place, step_id, claim_no,
        %(told_engine_id)s::uuid AS engine_id,
        %(told_ended_as)s::text AS ended_as,
        description,
        %(told_activation_seen)s::integer AS activation_seen,
        %(told_failure_count)s::integer AS failure_count,
        execution_started_at,
        coalesce(execution_duration, 0) AS execution_duration,
        %(told_executed_by)s::text AS executed_by,
        %(told_schedule_time)s::timestamptz AS schedule_time,
        %(told_keep_state)s::boolean AS keep_state,
        %(told_state)s::text AS state,
        %(told_state_format)s::text AS state_format,
        %(told_keep_activation)s::boolean AS keep_activation,
        result,
        %(told_result_format)s::text AS result_format,
        %(told_fingerprint)s::text AS fingerprint,
        %(told_passes_join)s::boolean AS passes_join,
        %(told_unwritten)s::boolean AS unwritten
    FROM unnest(
        %(told_step_id)s::uuid[],
        %(told_claim_no)s::integer[],
        %(told_description)s::text[],
        %(told_execution_started_at)s::timestamptz[],
        %(told_execution_duration)s::float8[],
        %(told_result)s::text[]
    ) WITH ORDINALITY AS asked (
        step_id, claim_no, description, execution_started_at, execution_duration, result, place
    )
    WHERE true  -- settle_if_alive.sql may follow
