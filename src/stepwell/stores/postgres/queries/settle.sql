-- Ended rows move, the others go back to be claimed again. What is asked for and does not
-- come back has not matched: see settled_before.sql (R12, R13).
--
-- Each claim is held by the engine beside it. `ANY(ARRAY[...])` of one id: docs/decisions/0110.
-- A claim that was a lock alone, of this transaction or of one that was lost, stands on the row as
-- the number before, if nobody has claimed it since; and it has not said yet that the row is not
-- parked any more (R19).
), over AS (
    DELETE FROM stepwell_ready AS step
    USING asked
    WHERE step.id = ANY(ARRAY[asked.step_id])
        AND (
            step.claimed_by = asked.engine_id AND step.claim_no = asked.claim_no
            OR asked.unwritten
            AND step.claimed_by IS NULL AND step.claim_no = asked.claim_no - 1
        )
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
        asked.engine_id AS claimed_by, asked.claim_no, NULL::uuid AS claim_request,
        NULL::timestamptz AS claimed_at, false AS started, false AS parked, asked.fingerprint,
        CASE WHEN asked.passes_join THEN NULL ELSE step.join_id END AS join_id, step.join_policy,
        step.waiting_for, step.limit_key, step.limit_slots,
        step.rate_key
), done AS (
    INSERT INTO stepwell_done
    SELECT {columns}
    FROM over WHERE ended_as IN ('done', 'skipped')
), failed AS (
    INSERT INTO stepwell_failed
    SELECT {columns}
    FROM over WHERE ended_as IN ('failed', 'cancelled')
), again AS (
    UPDATE stepwell_ready AS step
    SET claimed_by = NULL,
        claim_no = asked.claim_no,
        claim_request = NULL,
        claimed_at = NULL,
        started = false,
        parked = false,
        execution_count = step.execution_count + 1,
        execution_started_at = asked.execution_started_at,
        execution_duration = asked.execution_duration,
        executed_by = asked.executed_by,
        failure_count = asked.failure_count,
        lost_count = 0,
        description = asked.description,
        fingerprint = asked.fingerprint,
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
    WHERE step.id = ANY(ARRAY[asked.step_id])
        AND (
            step.claimed_by = asked.engine_id AND step.claim_no = asked.claim_no
            OR asked.unwritten
            AND step.claimed_by IS NULL AND step.claim_no = asked.claim_no - 1
        )
        AND asked.ended_as IS NULL
    RETURNING
        asked.place, step.id,
        step.schedule_time <= statement_timestamp() + interval '1 second'
            OR step.limit_key IS NOT NULL AS due
), applied AS NOT MATERIALIZED (
    SELECT place, id, limit_key IS NOT NULL AS due, join_id, name FROM over
    UNION ALL
    SELECT place, id, due, NULL, NULL FROM again
)
