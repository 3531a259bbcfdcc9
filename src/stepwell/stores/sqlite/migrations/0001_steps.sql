-- The first schema (R22, R23): three tables of the same columns in the same order, so
-- that a row moves with INSERT ... SELECT *. Instants are UTC text of fixed width and
-- ids lower-case text, so both sort as they should. Columns from fingerprint on are
-- for joins, limits and idempotent adding.

CREATE TABLE stepwell_ready (
    id                   TEXT    NOT NULL PRIMARY KEY,
    name                 TEXT    NOT NULL,
    flow_id              TEXT    NOT NULL,
    created_at           TEXT    NOT NULL,
    schedule_time        TEXT    NOT NULL,
    queue                TEXT    NOT NULL,
    priority             INTEGER NOT NULL,
    unique_key           TEXT,
    correlation_id       TEXT,
    search_key           TEXT,
    description          TEXT,
    created_by_step_id   TEXT,
    copy_of              TEXT,
    retention            INTEGER NOT NULL,
    state                TEXT,
    state_format         TEXT    NOT NULL,
    activation_args      TEXT,
    activation_no        INTEGER NOT NULL,
    activation_seen      INTEGER NOT NULL,
    execution_count      INTEGER NOT NULL,
    failure_count        INTEGER NOT NULL,
    lost_count           INTEGER NOT NULL,
    execution_started_at TEXT,
    execution_duration   REAL,
    executed_by          TEXT,
    result               TEXT,
    result_format        TEXT    NOT NULL,
    ended_at             TEXT,
    ended_as             TEXT,
    claimed_by           TEXT,
    claim_no             INTEGER NOT NULL,
    claim_request        TEXT,
    claimed_at           TEXT,
    started              INTEGER NOT NULL,
    parked               INTEGER NOT NULL,
    fingerprint          TEXT,
    join_id              TEXT,
    join_policy          TEXT,
    waiting_for          INTEGER NOT NULL DEFAULT 0,
    limit_key            TEXT,
    limit_slots          INTEGER,
    rate_key             TEXT
) STRICT;

CREATE TABLE stepwell_done (
    id                   TEXT    NOT NULL PRIMARY KEY,
    name                 TEXT    NOT NULL,
    flow_id              TEXT    NOT NULL,
    created_at           TEXT    NOT NULL,
    schedule_time        TEXT    NOT NULL,
    queue                TEXT    NOT NULL,
    priority             INTEGER NOT NULL,
    unique_key           TEXT,
    correlation_id       TEXT,
    search_key           TEXT,
    description          TEXT,
    created_by_step_id   TEXT,
    copy_of              TEXT,
    retention            INTEGER NOT NULL,
    state                TEXT,
    state_format         TEXT    NOT NULL,
    activation_args      TEXT,
    activation_no        INTEGER NOT NULL,
    activation_seen      INTEGER NOT NULL,
    execution_count      INTEGER NOT NULL,
    failure_count        INTEGER NOT NULL,
    lost_count           INTEGER NOT NULL,
    execution_started_at TEXT,
    execution_duration   REAL,
    executed_by          TEXT,
    result               TEXT,
    result_format        TEXT    NOT NULL,
    ended_at             TEXT,
    ended_as             TEXT,
    claimed_by           TEXT,
    claim_no             INTEGER NOT NULL,
    claim_request        TEXT,
    claimed_at           TEXT,
    started              INTEGER NOT NULL,
    parked               INTEGER NOT NULL,
    fingerprint          TEXT,
    join_id              TEXT,
    join_policy          TEXT,
    waiting_for          INTEGER NOT NULL DEFAULT 0,
    limit_key            TEXT,
    limit_slots          INTEGER,
    rate_key             TEXT
) STRICT;

CREATE TABLE stepwell_failed (
    id                   TEXT    NOT NULL PRIMARY KEY,
    name                 TEXT    NOT NULL,
    flow_id              TEXT    NOT NULL,
    created_at           TEXT    NOT NULL,
    schedule_time        TEXT    NOT NULL,
    queue                TEXT    NOT NULL,
    priority             INTEGER NOT NULL,
    unique_key           TEXT,
    correlation_id       TEXT,
    search_key           TEXT,
    description          TEXT,
    created_by_step_id   TEXT,
    copy_of              TEXT,
    retention            INTEGER NOT NULL,
    state                TEXT,
    state_format         TEXT    NOT NULL,
    activation_args      TEXT,
    activation_no        INTEGER NOT NULL,
    activation_seen      INTEGER NOT NULL,
    execution_count      INTEGER NOT NULL,
    failure_count        INTEGER NOT NULL,
    lost_count           INTEGER NOT NULL,
    execution_started_at TEXT,
    execution_duration   REAL,
    executed_by          TEXT,
    result               TEXT,
    result_format        TEXT    NOT NULL,
    ended_at             TEXT,
    ended_as             TEXT,
    claimed_by           TEXT,
    claim_no             INTEGER NOT NULL,
    claim_request        TEXT,
    claimed_at           TEXT,
    started              INTEGER NOT NULL,
    parked               INTEGER NOT NULL,
    fingerprint          TEXT,
    join_id              TEXT,
    join_policy          TEXT,
    waiting_for          INTEGER NOT NULL DEFAULT 0,
    limit_key            TEXT,
    limit_slots          INTEGER,
    rate_key             TEXT
) STRICT;


-- Claims read due rows in order from here and see no other (R18).
CREATE INDEX stepwell_ready_claim ON stepwell_ready (queue, priority, schedule_time, id)
WHERE claimed_by IS NULL AND parked = 0 AND lost_count < 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL;

-- Rows of names that the engine which met them does not handle (R19).
CREATE INDEX stepwell_ready_parked ON stepwell_ready (name, schedule_time, id)
WHERE claimed_by IS NULL AND parked = 1;

-- Rows that may have killed their engines, claimed one at a time (R15).
CREATE INDEX stepwell_ready_suspect ON stepwell_ready (schedule_time, id)
WHERE claimed_by IS NULL AND lost_count >= 2;

-- What an engine holds.
CREATE INDEX stepwell_ready_claimed ON stepwell_ready (claimed_by) WHERE claimed_by IS NOT NULL;

-- Claims of one flow (R36), and its ready rows.
CREATE INDEX stepwell_ready_flow ON stepwell_ready (flow_id, priority, schedule_time, id);

CREATE UNIQUE INDEX stepwell_ready_unique ON stepwell_ready (name, unique_key)
WHERE unique_key IS NOT NULL;

CREATE INDEX stepwell_ready_search ON stepwell_ready (search_key, id)
WHERE search_key IS NOT NULL;
CREATE INDEX stepwell_ready_correlation ON stepwell_ready (correlation_id, id)
WHERE correlation_id IS NOT NULL;

CREATE INDEX stepwell_done_flow ON stepwell_done (flow_id, id);
CREATE INDEX stepwell_done_name ON stepwell_done (name, ended_at);
CREATE INDEX stepwell_done_search ON stepwell_done (search_key, id)
WHERE search_key IS NOT NULL;
CREATE INDEX stepwell_done_correlation ON stepwell_done (correlation_id, id)
WHERE correlation_id IS NOT NULL;

CREATE INDEX stepwell_failed_flow ON stepwell_failed (flow_id, id);
CREATE INDEX stepwell_failed_name ON stepwell_failed (name, ended_at);
CREATE INDEX stepwell_failed_search ON stepwell_failed (search_key, id)
WHERE search_key IS NOT NULL;
CREATE INDEX stepwell_failed_correlation ON stepwell_failed (correlation_id, id)
WHERE correlation_id IS NOT NULL;

CREATE VIEW stepwell_steps AS
SELECT 'ready' AS status, * FROM stepwell_ready
UNION ALL
SELECT 'done', * FROM stepwell_done
UNION ALL
SELECT 'failed', * FROM stepwell_failed;

-- Live engines: a beat counter and no time (R10). handles and queues are JSON arrays.
CREATE TABLE stepwell_engines (
    id      TEXT    NOT NULL PRIMARY KEY,
    name    TEXT    NOT NULL,
    version TEXT    NOT NULL,
    handles TEXT    NOT NULL,
    queues  TEXT    NOT NULL,
    beat    INTEGER NOT NULL
) STRICT;

-- Pauses of queues and names, slots of limits, and the next free instant of rates (R20).
CREATE TABLE stepwell_controls (
    kind         TEXT NOT NULL CHECK (kind IN ('pause', 'limit', 'rate')),
    key          TEXT NOT NULL,
    slots        INTEGER,
    period       REAL,
    next_free_at TEXT,
    reason       TEXT,
    changed_by   TEXT,
    changed_at   TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT;

CREATE TABLE stepwell_meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
