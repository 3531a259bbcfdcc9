-- First half of a claim: lock rows of one flow, in any queue (R36). A flow is short, and
-- as a rule one engine works on it, so its rows are read as they are.
WITH me AS MATERIALIZED (
    SELECT id FROM stepwell_engines WHERE id = %(engine_id)s FOR KEY SHARE
), band AS MATERIALIZED (
    SELECT (number - 1)::smallint AS priority, weight, skew
    FROM unnest(%(weights)s::float8[], %(skew)s::float8[])
        WITH ORDINALITY AS band (weight, skew, number)
), flow AS MATERIALIZED (
    SELECT id, name, priority, schedule_time, lost_count, parked FROM stepwell_ready
    WHERE flow_id = %(flow_id)s AND claimed_by IS NULL
        AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        AND (name = ANY(%(names)s::text[]) OR NOT parked)
        AND EXISTS (SELECT 1 FROM me)
), seen AS MATERIALIZED (
    SELECT id, priority, schedule_time FROM flow
    WHERE lost_count < 2 AND schedule_time <= statement_timestamp()
), fair AS MATERIALIZED (
    SELECT *
    FROM (
        SELECT seen.id, seen.priority, (row_number() OVER (
            PARTITION BY seen.priority ORDER BY seen.schedule_time, seen.id
        ) - band.skew) / band.weight AS place
        FROM seen JOIN band USING (priority)
    ) AS ranked
    ORDER BY place, priority
    LIMIT %(reach)s
), front AS (
    SELECT NULL::text AS lanes
), suspect AS MATERIALIZED (
    SELECT id, schedule_time FROM flow
    WHERE lost_count >= 2 AND name = ANY(%(names)s::text[])
    ORDER BY schedule_time, id
    LIMIT 2
), suspect_taken AS (
    SELECT id FROM suspect
    WHERE %(alone)s AND schedule_time <= statement_timestamp()
    ORDER BY schedule_time, id
    LIMIT 1
), locked AS MATERIALIZED (
    SELECT * FROM stepwell_ready
    WHERE id = ANY(ARRAY(SELECT id FROM fair UNION ALL SELECT id FROM suspect_taken))
        AND claimed_by IS NULL AND schedule_time <= statement_timestamp()
    FOR UPDATE SKIP LOCKED
), later AS (
    SELECT min(schedule_time) AS due FROM flow
    WHERE lost_count < 2 AND schedule_time > statement_timestamp()
), left_over AS (
    SELECT schedule_time AS due FROM seen
    WHERE id NOT IN (SELECT id FROM fair)
)
