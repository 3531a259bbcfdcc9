-- A rerun that has not seen the newest activation keeps its arguments and its time (R8).
UPDATE stepwell_ready
SET execution_count = execution_count + 1,
    execution_started_at = ?4,
    execution_duration = ?5,
    executed_by = ?6,
    failure_count = ?3,
    lost_count = 0,
    description = ?1,
    fingerprint = ?12,
    activation_seen = ?2,
    state = CASE WHEN ?7 THEN state ELSE ?8 END,
    state_format = CASE WHEN ?7 THEN state_format ELSE ?9 END,
    claimed_by = NULL,
    claim_request = NULL,
    claimed_at = NULL,
    started = 0,
    schedule_time = CASE
        WHEN activation_no > ?2 THEN schedule_time
        ELSE coalesce(?10, ?13)
    END,
    activation_args = CASE WHEN ?11 OR activation_no > ?2 THEN activation_args END
WHERE id = ?14 AND claim_no = ?15 AND claimed_by = ?16
