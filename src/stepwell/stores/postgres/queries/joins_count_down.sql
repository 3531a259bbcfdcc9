UPDATE stepwell_ready AS step
SET waiting_for = step.waiting_for - down.ended,
    schedule_time = CASE
        WHEN step.waiting_for = down.ended
        THEN greatest(step.schedule_time, statement_timestamp())
        ELSE step.schedule_time
    END
FROM unnest(%(ids)s::uuid[], %(ended)s::integer[]) AS down (id, ended)
WHERE step.id = ANY(ARRAY[down.id])
RETURNING
    step.waiting_for = 0
    AND step.schedule_time <= statement_timestamp() + interval '1 second'
