UPDATE stepwell_ready
SET activation_args = %(args)s,
    activation_no = activation_no + 1,
    schedule_time = coalesce(%(at)s::timestamptz, statement_timestamp())
WHERE id = %(step_id)s
RETURNING schedule_time <= statement_timestamp() + interval '1 second'
