-- A claimed row that ends is written where it ends; move_away.sql takes it out of the ready
-- ones. It keeps its claimant and number, so that settling again is recognised (R13).
INSERT INTO stepwell_done (
    id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
    correlation_id, search_key, description, created_by_step_id, copy_of, retention, state,
    state_format, activation_args, activation_no, activation_seen, execution_count,
    failure_count, lost_count, execution_started_at, execution_duration, executed_by,
    result, result_format, ended_at, ended_as, claimed_by, claim_no, claim_request,
    claimed_at, started, parked, fingerprint, join_id, join_policy, waiting_for, limit_key,
    limit_slots, rate_key
)
SELECT
    id, name, flow_id, created_at, schedule_time, queue, priority, unique_key, correlation_id,
    search_key, ?1, created_by_step_id, copy_of, retention, CASE WHEN ?7 THEN state ELSE ?8 END,
    CASE WHEN ?7 THEN state_format ELSE ?9 END, activation_args, activation_no, ?2,
    execution_count + 1, ?3, 0, ?4, ?5, ?6, ?10, ?11, ?15, ?14, claimed_by, claim_no, NULL,
    NULL, 0, parked, ?12, CASE WHEN ?13 THEN NULL ELSE join_id END, join_policy, waiting_for,
    limit_key, limit_slots, rate_key
FROM stepwell_ready
WHERE id = ?16 AND claim_no = ?17 AND claimed_by = ?18
