-- An ended row keeps its claimant and number, so that settling again is recognised (R13).
-- A rerun that has not seen the newest activation keeps its arguments and its time (R8).
UPDATE stepwell_ready
SET execution_count = execution_count + 1,
    execution_started_at = :execution_started_at,
    execution_duration = :execution_duration,
    executed_by = :executed_by,
    failure_count = :failure_count,
    lost_count = 0,
    description = :description,
    fingerprint = :fingerprint,
    join_id = CASE WHEN :passes_join AND :ended_as IS NOT NULL THEN NULL ELSE join_id END,
    activation_seen = :activation_seen,
    state = CASE WHEN :keep_state THEN state ELSE :state END,
    state_format = CASE WHEN :keep_state THEN state_format ELSE :state_format END,
    claimed_by = CASE WHEN :ended_as IS NULL THEN NULL ELSE claimed_by END,
    claim_request = NULL,
    claimed_at = NULL,
    started = 0,
    ended_as = :ended_as,
    ended_at = CASE WHEN :ended_as IS NOT NULL THEN :now END,
    result = CASE WHEN :ended_as IS NULL THEN result ELSE :result END,
    result_format = CASE WHEN :ended_as IS NULL THEN result_format ELSE :result_format END,
    schedule_time = CASE
        WHEN :ended_as IS NOT NULL OR activation_no > :activation_seen THEN schedule_time
        ELSE coalesce(:schedule_time, :now)
    END,
    activation_args = CASE
        WHEN :ended_as IS NOT NULL OR :keep_activation OR activation_no > :activation_seen
        THEN activation_args
    END
WHERE id = :id AND claim_no = :claim_no AND claimed_by = :engine
