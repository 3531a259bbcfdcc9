    WHERE created_by_step_id IN (SELECT id FROM applied)
)
