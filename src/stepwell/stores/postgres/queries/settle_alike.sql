-- What a settlement asks for where all share most of it, as they mostly do: the server reads
-- each shared value once. Columns as in settle_each.sql.
WITH asked AS MATERIALIZED (
    SELECT
        place, step_id, claim_no,
        %(engine_id)s::uuid AS engine_id,
        %(ended_as)s::text AS ended_as,
        description,
        %(activation_seen)s::integer AS activation_seen,
        %(failure_count)s::integer AS failure_count,
        execution_started_at,
        coalesce(execution_duration, 0) AS execution_duration,
        %(executed_by)s::text AS executed_by,
        %(schedule_time)s::timestamptz AS schedule_time,
        %(keep_state)s::boolean AS keep_state,
        %(state)s::text AS state,
        %(state_format)s::text AS state_format,
        %(keep_activation)s::boolean AS keep_activation,
        result,
        %(result_format)s::text AS result_format,
        %(fingerprint)s::text AS fingerprint,
        %(passes_join)s::boolean AS passes_join,
        %(unwritten)s::boolean AS unwritten
    FROM unnest(
        %(step_id)s::uuid[],
        %(claim_no)s::integer[],
        %(description)s::text[],
        %(execution_started_at)s::timestamptz[],
        %(execution_duration)s::float8[],
        %(result)s::text[]
    ) WITH ORDINALITY AS asked (
        step_id, claim_no, description, execution_started_at, execution_duration, result, place
    )
