-- Second half of a claim: take the locked rows whose name is handled, in fair order, and
-- park the others (R19), both by their ids: the planner cannot know that they are few, and
-- would read the whole table. One row always comes back, with when to ask again.
, mine AS MATERIALIZED (
    SELECT id, row_number() OVER (ORDER BY place, priority) AS place
    FROM (
        SELECT locked.id, locked.priority, (row_number() OVER (
            PARTITION BY locked.priority ORDER BY locked.schedule_time, locked.id
        ) - band.skew) / band.weight AS place
        FROM locked JOIN band USING (priority)
        WHERE locked.name = ANY(%(names)s::text[])
    ) AS ranked
    ORDER BY place, priority
    LIMIT %(limit)s
), taken AS (
    UPDATE stepwell_ready AS step
    SET claimed_by = %(engine_id)s,
        claim_request = %(request_id)s,
        claimed_at = statement_timestamp(),
        claim_no = step.claim_no + 1,
        started = false,
        parked = false
    FROM mine
    WHERE step.id = mine.id AND step.id = ANY(ARRAY(SELECT id FROM mine))
    RETURNING mine.place, step.*
), parked AS (
    UPDATE stepwell_ready SET parked = true
    WHERE id = ANY(ARRAY(
        SELECT id FROM locked WHERE name <> ALL(%(names)s::text[])
    ))
    RETURNING id
), rest AS (
    SELECT min(schedule_time) AS due
    FROM seen
    WHERE NOT EXISTS (SELECT 1 FROM taken WHERE taken.id = seen.id)
        AND NOT EXISTS (SELECT 1 FROM parked WHERE parked.id = seen.id)
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
