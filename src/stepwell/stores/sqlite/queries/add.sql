-- Rows that share all but a few values. Their ids are known to be new (known.sql); a unique key
-- that is taken inserts nothing.
INSERT INTO stepwell_ready (
    id, flow_id, created_at, schedule_time, created_by_step_id, correlation_id, search_key,
    state, name, queue, priority, unique_key, description, copy_of, retention, state_format,
    activation_args, activation_no, activation_seen, execution_count, failure_count,
    lost_count, execution_started_at, execution_duration, executed_by, result, result_format,
    ended_at, ended_as, claimed_by, claim_no, claim_request, claimed_at, started, parked,
    fingerprint, join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
)
SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
    json_extract(value, '$[6]'), json_extract(value, '$[7]'),
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?
FROM json_each(?)
WHERE true -- or ON would belong to a join
ON CONFLICT (name, unique_key) WHERE unique_key IS NOT NULL DO NOTHING
