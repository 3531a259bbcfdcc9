-- Rows of other names are parked (R19). One row always comes back, with when to ask again; the
-- first says where due rows begin.
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
    CASE WHEN coalesce(taken.place, 1) = 1 THEN front.lanes END AS front,
    {taken.columns}
FROM rest CROSS JOIN later CROSS JOIN front LEFT JOIN taken ON true
ORDER BY taken.place
