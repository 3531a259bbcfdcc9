-- Who belongs to a join (R28): looked for when its handler runs, and when a copy takes a place.
CREATE INDEX stepwell_ready_join ON stepwell_ready (join_id, id) WHERE join_id IS NOT NULL;
CREATE INDEX stepwell_done_join ON stepwell_done (join_id, id) WHERE join_id IS NOT NULL;
CREATE INDEX stepwell_failed_join ON stepwell_failed (join_id, id) WHERE join_id IS NOT NULL;

-- Rows with a limit or rate key (R20): whether one is due; the keys that have rows waiting,
-- each with its rows in order; the slots that are taken.
CREATE INDEX stepwell_ready_limited ON stepwell_ready (name, queue, schedule_time)
WHERE claimed_by IS NULL AND waiting_for = 0 AND coalesce(limit_key, rate_key) IS NOT NULL;
CREATE INDEX stepwell_ready_keys ON stepwell_ready (
    name, coalesce(limit_key, '') || char(31) || coalesce(rate_key, ''),
    queue, priority, schedule_time, id
)
WHERE claimed_by IS NULL AND waiting_for = 0 AND coalesce(limit_key, rate_key) IS NOT NULL
    AND lost_count < 2;
CREATE INDEX stepwell_ready_slots ON stepwell_ready (limit_key)
WHERE claimed_by IS NOT NULL AND limit_key IS NOT NULL;
-- Failures of one kind, by time, and how many there are without reading the rows.
CREATE INDEX stepwell_failed_fingerprint
ON stepwell_failed (fingerprint, ended_at, name, ended_as);
