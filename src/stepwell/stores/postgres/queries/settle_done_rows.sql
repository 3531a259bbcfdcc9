-- The second part of settle_done.sql: what is taken of the rows, and where they go.
    RETURNING
        width_bucket(step.id, %(told_step_id)s::uuid[]) AS place,
        step.id, step.name, step.flow_id, step.created_at, step.schedule_time, step.queue,
        step.priority, step.unique_key, step.correlation_id, step.search_key,
        step.created_by_step_id, step.copy_of, step.retention, step.state, step.state_format,
        step.activation_args, step.activation_no, step.execution_count,
        CASE WHEN NOT %(told_passes_join)s::boolean THEN step.join_id END AS join_id,
        step.join_policy, step.waiting_for, step.limit_key, step.limit_slots, step.rate_key
), done AS (
    INSERT INTO stepwell_done ({columns})
    SELECT
        id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
        correlation_id, search_key, (%(told_description)s::text[])[place], created_by_step_id,
        copy_of, retention, state, state_format, activation_args, activation_no,
        %(told_activation_seen)s::integer, execution_count + 1, %(told_failure_count)s::integer,
        0, (%(told_execution_started_at)s::timestamptz[])[place],
        coalesce((%(told_execution_duration)s::float8[])[place], 0), %(told_executed_by)s::text,
        (%(told_result)s::text[])[place], %(told_result_format)s::text, statement_timestamp(),
        %(told_ended_as)s::text, %(told_engine_id)s::uuid, %(told_claim_no)s::integer, NULL,
        NULL, false, false, %(told_fingerprint)s::text, join_id, join_policy, waiting_for,
        limit_key, limit_slots, rate_key
    FROM over
), applied AS NOT MATERIALIZED (
    SELECT place, id, limit_key IS NOT NULL AS due, join_id, name FROM over
)
