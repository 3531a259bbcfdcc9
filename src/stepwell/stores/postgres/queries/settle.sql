-- Ended rows move, the others go back to be claimed again. What is asked for and does not
-- match was settled by an earlier try whose answer was lost, or is refused (R12, R13).
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(settlements)s::json) AS asked (
        place                integer,
        step_id              uuid,
        claim_no             integer,
        ended_as             text,
        description          text,
        activation_seen      integer,
        failure_count        integer,
        execution_started_at timestamptz,
        execution_duration   double precision,
        executed_by          text,
        schedule_time        timestamptz,
        keep_state           boolean,
        state                text,
        state_format         text,
        keep_activation      boolean,
        result               text,
        result_format        text
    )
), over AS (
    DELETE FROM stepwell_ready AS step
    USING asked
    WHERE step.id = ANY(%(ids)s)
        AND step.id = asked.step_id
        AND step.claimed_by = %(engine_id)s
        AND step.claim_no = asked.claim_no
        AND asked.ended_as IS NOT NULL
    RETURNING
        asked.place, step.id, step.name, step.flow_id, step.created_at, step.schedule_time,
        step.queue, step.priority, step.unique_key, step.correlation_id, step.search_key,
        asked.description, step.created_by_step_id, step.copy_of, step.retention,
        CASE WHEN asked.keep_state THEN step.state ELSE asked.state END AS state,
        CASE WHEN asked.keep_state THEN step.state_format ELSE asked.state_format END
            AS state_format,
        step.activation_args, step.activation_no, asked.activation_seen,
        step.execution_count + 1 AS execution_count, asked.failure_count, 0 AS lost_count,
        asked.execution_started_at, asked.execution_duration, asked.executed_by,
        asked.result, asked.result_format, statement_timestamp() AS ended_at, asked.ended_as,
        step.claimed_by, step.claim_no, NULL::uuid AS claim_request,
        NULL::timestamptz AS claimed_at, false AS started, step.parked, step.fingerprint,
        step.join_id, step.join_policy, step.waiting_for, step.limit_key, step.limit_slots,
        step.rate_key
), done AS (
    INSERT INTO stepwell_done
    SELECT
        id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
        correlation_id, search_key, description, created_by_step_id, copy_of, retention,
        state, state_format, activation_args, activation_no, activation_seen,
        execution_count, failure_count, lost_count, execution_started_at,
        execution_duration, executed_by, result, result_format, ended_at, ended_as,
        claimed_by, claim_no, claim_request, claimed_at, started, parked, fingerprint,
        join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
    FROM over WHERE ended_as IN ('done', 'skipped')
), failed AS (
    INSERT INTO stepwell_failed
    SELECT
        id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
        correlation_id, search_key, description, created_by_step_id, copy_of, retention,
        state, state_format, activation_args, activation_no, activation_seen,
        execution_count, failure_count, lost_count, execution_started_at,
        execution_duration, executed_by, result, result_format, ended_at, ended_as,
        claimed_by, claim_no, claim_request, claimed_at, started, parked, fingerprint,
        join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
    FROM over WHERE ended_as IN ('failed', 'cancelled')
), again AS (
    UPDATE stepwell_ready AS step
    SET claimed_by = NULL,
        claim_request = NULL,
        claimed_at = NULL,
        started = false,
        execution_count = step.execution_count + 1,
        execution_started_at = asked.execution_started_at,
        execution_duration = asked.execution_duration,
        executed_by = asked.executed_by,
        failure_count = asked.failure_count,
        lost_count = 0,
        description = asked.description,
        activation_seen = asked.activation_seen,
        state = CASE WHEN asked.keep_state THEN step.state ELSE asked.state END,
        state_format = CASE
            WHEN asked.keep_state THEN step.state_format ELSE asked.state_format
        END,
        schedule_time = CASE
            WHEN step.activation_no > asked.activation_seen THEN step.schedule_time
            ELSE coalesce(asked.schedule_time, statement_timestamp())
        END,
        activation_args = CASE
            WHEN step.activation_no > asked.activation_seen OR asked.keep_activation
            THEN step.activation_args
        END
    FROM asked
    WHERE step.id = ANY(%(ids)s)
        AND step.id = asked.step_id
        AND step.claimed_by = %(engine_id)s
        AND step.claim_no = asked.claim_no
        AND asked.ended_as IS NULL
    RETURNING
        asked.place,
        step.schedule_time <= statement_timestamp() + interval '1 second'
            OR step.limit_key IS NOT NULL AS due
)
SELECT
    asked.place,
    CASE
        WHEN over.place IS NOT NULL OR again.place IS NOT NULL THEN 'now'
        WHEN EXISTS (
            SELECT 1 FROM stepwell_ready AS step
            WHERE step.id = asked.step_id
                AND step.claim_no = asked.claim_no
                AND step.claimed_by IS NULL
            OFFSET 0
        ) THEN 'before'
        WHEN EXISTS (
            SELECT 1 FROM stepwell_done AS step
            WHERE step.id = asked.step_id
                AND step.claim_no = asked.claim_no
                AND step.claimed_by = %(engine_id)s
            OFFSET 0
        ) THEN 'before'
        WHEN EXISTS (
            SELECT 1 FROM stepwell_failed AS step
            WHERE step.id = asked.step_id
                AND step.claim_no = asked.claim_no
                AND step.claimed_by = %(engine_id)s
            OFFSET 0
        ) THEN 'before'
        ELSE 'refused'
    END AS verdict,
    coalesce(again.due, over.limit_key IS NOT NULL) AS due
FROM asked
LEFT JOIN over ON over.place = asked.place
LEFT JOIN again ON again.place = asked.place
