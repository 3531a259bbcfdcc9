-- The last part of adding. What comes claimed is nobody else's to look for (R21).
ON CONFLICT DO NOTHING
RETURNING id, claimed_by IS NULL AND schedule_time <= statement_timestamp() + interval '1 second'
