-- Conditions on an id alone can be answered by the primary key and by no other index: this one
-- has the id as well, and in a table that is thought to be empty both would seem equally cheap.
-- That the flow is not null is always so, and follows from a condition on the flow only: see
-- docs/decisions/0110.
DROP INDEX stepwell_ready_flow;
CREATE INDEX stepwell_ready_flow ON stepwell_ready (flow_id, schedule_time, id)
WHERE flow_id IS NOT NULL;

-- Who works with the tables as they were can go on.
INSERT INTO stepwell_meta (key, value) VALUES ('schema_floor', '2') ON CONFLICT (key) DO NOTHING;
