-- Rows that share all but a few values. Their ids are known to be new (known.sql); a unique key
-- that is taken inserts nothing.
-- ?1 has 162 characters for each: id, flow, creation, schedule, parent or blanks.
-- The array has their states, alone (?2) or behind correlation id and search key.
INSERT INTO stepwell_ready (
    id, flow_id, created_at, schedule_time, created_by_step_id, correlation_id, search_key,
    state, name, queue, priority, unique_key, description, copy_of, retention, state_format,
    activation_args, activation_no, activation_seen, execution_count, failure_count,
    lost_count, execution_started_at, execution_duration, executed_by, result, result_format,
    ended_at, ended_as, claimed_by, claim_no, claim_request, claimed_at, started, parked,
    fingerprint, join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
)
SELECT
    CAST(substr(?1, 162 * key + 1, 36) AS TEXT), CAST(substr(?1, 162 * key + 37, 36) AS TEXT),
    CAST(substr(?1, 162 * key + 73, 27) AS TEXT), CAST(substr(?1, 162 * key + 100, 27) AS TEXT),
    nullif(trim(CAST(substr(?1, 162 * key + 127, 36) AS TEXT)), ''),
    CASE WHEN NOT ?2 THEN json_extract(value, '$[0]') END,
    CASE WHEN NOT ?2 THEN json_extract(value, '$[1]') END,
    CASE WHEN ?2 THEN value ELSE json_extract(value, '$[2]') END,
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?
FROM json_each(?)
WHERE true -- or ON would belong to a join
ON CONFLICT (name, unique_key) WHERE unique_key IS NOT NULL DO NOTHING
