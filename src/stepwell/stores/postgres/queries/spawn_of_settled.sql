    WHERE created_by_step_id IN (SELECT id FROM over UNION ALL SELECT id FROM again)
)
