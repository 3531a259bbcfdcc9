-- Who belongs to a join (R28): looked for when its handler runs, and when a copy takes a place.
CREATE INDEX stepwell_ready_join ON stepwell_ready (join_id, id) WHERE join_id IS NOT NULL;
CREATE INDEX stepwell_done_join ON stepwell_done (join_id, id) WHERE join_id IS NOT NULL;
CREATE INDEX stepwell_failed_join ON stepwell_failed (join_id, id) WHERE join_id IS NOT NULL;

-- Failures of one kind, by time, and how many there are without reading the rows.
CREATE INDEX stepwell_failed_fingerprint
ON stepwell_failed (fingerprint, ended_at, name, ended_as);
