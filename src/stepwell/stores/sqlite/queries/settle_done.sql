-- Claimed rows that end are written where they end; move_away.sql takes them out of the ready
-- ones. They keep their claimant and number, so that settling again is recognised (R13).
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
    ready.id, name, flow_id, created_at, schedule_time, queue, priority, unique_key, correlation_id,
    search_key, json_extract(ended.value, '$[4]'), created_by_step_id, copy_of, retention,
    CASE WHEN :keep_state THEN state ELSE :state END,
    CASE WHEN :keep_state THEN state_format ELSE :state_format END, activation_args,
    activation_no, :activation_seen, execution_count + 1, :failure_count, 0,
    json_extract(ended.value, '$[2]'), json_extract(ended.value, '$[3]'), :executed_by,
    json_extract(ended.value, '$[5]'), :result_format, :now, :ended_as, claimed_by, claim_no,
    NULL, NULL, 0, parked, :fingerprint, CASE WHEN :passes_join THEN NULL ELSE join_id END,
    join_policy, waiting_for, limit_key, limit_slots, rate_key
FROM json_each(:ended) AS ended CROSS JOIN stepwell_ready AS ready
WHERE ready.id = json_extract(ended.value, '$[0]')
    AND ready.claim_no = json_extract(ended.value, '$[1]')
    AND ready.claimed_by = :engine
