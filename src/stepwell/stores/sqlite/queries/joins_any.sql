-- Whether any ready step is a member of a join.
SELECT EXISTS (SELECT 1 FROM stepwell_ready WHERE join_id IS NOT NULL)
