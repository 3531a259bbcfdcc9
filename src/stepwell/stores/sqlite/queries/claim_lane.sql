-- The first due rows of one band of one queue, in their order: the columns that rows mostly
-- use, and the others of those that use any of them. What a claim says of a row is not read.
-- JSON would round the duration.
SELECT
    rowid, id, name, flow_id, created_at, schedule_time, queue, priority, correlation_id,
    search_key, created_by_step_id, retention, state, state_format, claim_no,
    execution_duration,
    CASE
        WHEN activation_no + activation_seen + execution_count + failure_count + lost_count > 0
            OR result_format <> 'json'
            OR coalesce(
                unique_key, description, copy_of, activation_args, execution_started_at,
                executed_by, result, fingerprint, join_id, join_policy, limit_key, limit_slots,
                rate_key
            ) IS NOT NULL
        THEN json_array(
            unique_key, description, copy_of, activation_args, activation_no, activation_seen,
            execution_count, failure_count, lost_count, execution_started_at, executed_by,
            result, result_format, fingerprint, join_id, join_policy, limit_key, limit_slots,
            rate_key
        )
    END
FROM stepwell_ready
WHERE queue = :queue AND priority = :band AND schedule_time <= :now
    AND claimed_by IS NULL AND parked = 0 AND lost_count < 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
ORDER BY schedule_time, id
LIMIT :limit
