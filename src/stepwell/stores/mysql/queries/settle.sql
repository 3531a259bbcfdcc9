-- An ended row keeps its claimant and number, so that settling again is recognised (R13).
-- A rerun that has not seen the newest activation keeps its arguments and its time (R8).
-- No expression reads another column that is written, for their order is not defined here.
UPDATE stepwell_ready AS step FORCE INDEX (PRIMARY)
JOIN JSON_TABLE(%(settlements)s, '$[*]' COLUMNS (
    step_id              CHAR(36)     PATH '$.step_id'              ERROR ON ERROR,
    ended_as             VARCHAR(10)  PATH '$.ended_as'             ERROR ON ERROR,
    description          MEDIUMTEXT   PATH '$.description'          ERROR ON ERROR,
    activation_seen      INTEGER      PATH '$.activation_seen'      ERROR ON ERROR,
    failure_count        INTEGER      PATH '$.failure_count'        ERROR ON ERROR,
    execution_started_at DATETIME(6)  PATH '$.execution_started_at' ERROR ON ERROR,
    execution_duration   DOUBLE       PATH '$.execution_duration'   ERROR ON ERROR,
    executed_by          VARCHAR(500) PATH '$.executed_by'          ERROR ON ERROR,
    schedule_time        DATETIME(6)  PATH '$.schedule_time'        ERROR ON ERROR,
    keep_state           INTEGER      PATH '$.keep_state'           ERROR ON ERROR,
    state                MEDIUMTEXT   PATH '$.state'                ERROR ON ERROR,
    state_format         VARCHAR(100) PATH '$.state_format'         ERROR ON ERROR,
    keep_activation      INTEGER      PATH '$.keep_activation'      ERROR ON ERROR,
    result               MEDIUMTEXT   PATH '$.result'               ERROR ON ERROR,
    result_format        VARCHAR(100) PATH '$.result_format'        ERROR ON ERROR,
    fingerprint          VARCHAR(200) PATH '$.fingerprint'          ERROR ON ERROR,
    passes_join          INTEGER      PATH '$.passes_join'          ERROR ON ERROR
)) AS told ON step.id = told.step_id
SET step.execution_count = step.execution_count + 1,
    step.execution_started_at = told.execution_started_at,
    step.execution_duration = told.execution_duration,
    step.executed_by = told.executed_by,
    step.failure_count = told.failure_count,
    step.lost_count = 0,
    step.description = told.description,
    step.activation_seen = told.activation_seen,
    step.fingerprint = told.fingerprint,
    step.join_id = CASE
        WHEN told.passes_join AND told.ended_as IS NOT NULL THEN NULL ELSE step.join_id
    END,
    step.state = CASE WHEN told.keep_state THEN step.state ELSE told.state END,
    step.state_format = CASE
        WHEN told.keep_state THEN step.state_format ELSE told.state_format
    END,
    step.claimed_by = CASE WHEN told.ended_as IS NULL THEN NULL ELSE step.claimed_by END,
    step.claim_request = NULL,
    step.claimed_at = NULL,
    step.started = 0,
    step.ended_as = told.ended_as,
    step.ended_at = CASE WHEN told.ended_as IS NOT NULL THEN UTC_TIMESTAMP(6) END,
    step.result = CASE WHEN told.ended_as IS NULL THEN step.result ELSE told.result END,
    step.result_format = CASE
        WHEN told.ended_as IS NULL THEN step.result_format ELSE told.result_format
    END,
    step.schedule_time = CASE
        WHEN told.ended_as IS NOT NULL OR step.activation_no > told.activation_seen
        THEN step.schedule_time
        ELSE COALESCE(told.schedule_time, UTC_TIMESTAMP(6))
    END,
    step.activation_args = CASE
        WHEN told.ended_as IS NOT NULL OR told.keep_activation
            OR step.activation_no > told.activation_seen
        THEN step.activation_args
    END
WHERE step.id IN %(ids)s
