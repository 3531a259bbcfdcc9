-- Rows of other names are parked (R19). One row always comes back, with when to ask again.
, parked AS (
    UPDATE stepwell_ready SET parked = true
    WHERE id = ANY(ARRAY(
        SELECT id FROM locked WHERE name <> ALL(%(names)s::text[])
    ))
    RETURNING id
), rest AS (
    SELECT min(due) AS due
    FROM (
        SELECT schedule_time AS due FROM ranked WHERE place > %(limit)s
        UNION ALL
        SELECT due FROM left_over
    ) AS step
)
SELECT
    EXISTS (SELECT 1 FROM me) AS alive,
    (SELECT count(*) FROM parked) AS parked_now,
    least(
        rest.due,
        later.due,
        (SELECT min(schedule_time) FROM suspect WHERE schedule_time > statement_timestamp()),
        (SELECT min(schedule_time) FROM limited WHERE schedule_time > statement_timestamp())
    ) AS next_due,
    EXISTS (
        SELECT 1 FROM suspect
        WHERE schedule_time <= statement_timestamp()
            AND NOT EXISTS (SELECT 1 FROM taken WHERE taken.id = suspect.id)
    ) AS suspect_due,
    EXISTS (
        SELECT 1 FROM limited WHERE schedule_time <= statement_timestamp()
    ) AS limited_due,
    -- By name: a prepared statement must not change its columns when a migration adds some.
    taken.id, taken.name, taken.flow_id, taken.created_at, taken.schedule_time, taken.queue,
    taken.priority, taken.unique_key, taken.correlation_id, taken.search_key,
    taken.description, taken.created_by_step_id, taken.copy_of, taken.retention,
    taken.state, taken.state_format, taken.activation_args, taken.activation_no,
    taken.activation_seen, taken.execution_count, taken.failure_count, taken.lost_count,
    taken.execution_started_at, taken.execution_duration, taken.executed_by,
    taken.result, taken.result_format, taken.ended_at, taken.ended_as, taken.claimed_by,
    taken.claim_no, taken.claim_request, taken.claimed_at, taken.started, taken.parked,
    taken.fingerprint, taken.join_id, taken.join_policy, taken.waiting_for, taken.limit_key,
    taken.limit_slots, taken.rate_key
FROM rest CROSS JOIN later LEFT JOIN taken ON true
ORDER BY taken.place
