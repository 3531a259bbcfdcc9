-- Claimed rows that end are written where they end; move_away.sql takes them out of the ready
-- ones. They keep their claimant and number, so that settling again is recognised (R13).
-- :runs has 71 characters for each: when it began, for how long it ran, the claim's number.
-- :ended has their ids, alone or behind description and result.
INSERT INTO stepwell_done ({columns})
SELECT
    ready.id, name, flow_id, created_at, schedule_time, queue, priority, unique_key, correlation_id,
    search_key, CASE WHEN NOT :alone THEN json_extract(ended.value, '$[0]') END,
    created_by_step_id, copy_of, retention,
    CASE WHEN :keep_state THEN state ELSE :state END,
    CASE WHEN :keep_state THEN state_format ELSE :state_format END, activation_args,
    activation_no, :activation_seen, execution_count + 1, :failure_count, 0,
    CAST(substr(:runs, 71 * ended.key + 1, 27) AS TEXT),
    CAST(substr(:runs, 71 * ended.key + 28, 24) AS REAL), :executed_by,
    CASE WHEN NOT :alone THEN json_extract(ended.value, '$[1]') END, :result_format, :now,
    :ended_as, claimed_by, claim_no, NULL, NULL, 0, parked, :fingerprint,
    CASE WHEN :passes_join THEN NULL ELSE join_id END, join_policy, waiting_for, limit_key,
    limit_slots, rate_key
FROM json_each(:ended) AS ended CROSS JOIN stepwell_ready AS ready
WHERE ready.id = CASE WHEN :alone THEN ended.value ELSE json_extract(ended.value, '$[2]') END
    AND ready.claim_no = CAST(substr(:runs, 71 * ended.key + 52, 20) AS INTEGER)
    AND ready.claimed_by = :engine
