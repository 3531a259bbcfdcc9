-- The last part of adding.
ON CONFLICT DO NOTHING
RETURNING id, schedule_time <= statement_timestamp() + interval '1 second'
