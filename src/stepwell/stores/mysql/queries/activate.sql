UPDATE stepwell_ready
SET activation_args = %(args)s,
    activation_no = activation_no + 1,
    schedule_time = COALESCE(%(at)s, UTC_TIMESTAMP(6))
WHERE id = %(id)s
