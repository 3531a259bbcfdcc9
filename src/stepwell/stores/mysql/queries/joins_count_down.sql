-- Assignments happen from left to right, so what is read comes before what is written.
UPDATE stepwell_ready
SET schedule_time = CASE
        WHEN waiting_for = %(ended)s THEN GREATEST(schedule_time, UTC_TIMESTAMP(6))
        ELSE schedule_time
    END,
    waiting_for = waiting_for - %(ended)s
WHERE id = %(id)s
