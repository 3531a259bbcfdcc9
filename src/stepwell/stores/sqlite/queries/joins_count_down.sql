UPDATE stepwell_ready
SET waiting_for = waiting_for - :ended,
    schedule_time = CASE
        WHEN waiting_for = :ended THEN max(schedule_time, :now) ELSE schedule_time
    END
WHERE id = :id
