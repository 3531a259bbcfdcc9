UPDATE stepwell_ready
SET activation_args = :args, activation_no = activation_no + 1, schedule_time = :at
WHERE id = :id
