-- The first schema (R22, R23): three tables of the same columns. Ids are lower-case text and
-- instants are in UTC, so both read and sort as they should. Text is compared byte by byte
-- and to its last blank; the collation that does so has another name on each of the two
-- servers, and each reads its own comment. Everything can be applied once more, for a
-- migration that was interrupted cannot be rolled back here.

CREATE TABLE IF NOT EXISTS stepwell_meta (
    `key` VARCHAR(100)  NOT NULL PRIMARY KEY,
    value VARCHAR(1000) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

-- There are no indexes of a part of the rows. Three columns stand in for them: each has a
-- value in the rows that its index is for, and is NULL in all others.
CREATE TABLE IF NOT EXISTS stepwell_ready (
    id                   CHAR(36)     NOT NULL PRIMARY KEY,
    name                 VARCHAR(200) NOT NULL,
    flow_id              CHAR(36)     NOT NULL,
    created_at           DATETIME(6)  NOT NULL,
    schedule_time        DATETIME(6)  NOT NULL,
    queue                VARCHAR(200) NOT NULL,
    priority             TINYINT      NOT NULL,
    unique_key           VARCHAR(500),
    correlation_id       VARCHAR(500),
    search_key           VARCHAR(500),
    description          MEDIUMTEXT,
    created_by_step_id   CHAR(36),
    copy_of              CHAR(36),
    retention            TINYINT      NOT NULL,
    state                MEDIUMTEXT,
    state_format         VARCHAR(100) NOT NULL,
    activation_args      MEDIUMTEXT,
    activation_no        INTEGER      NOT NULL,
    activation_seen      INTEGER      NOT NULL,
    execution_count      INTEGER      NOT NULL,
    failure_count        INTEGER      NOT NULL,
    lost_count           INTEGER      NOT NULL,
    execution_started_at DATETIME(6),
    execution_duration   DOUBLE,
    executed_by          VARCHAR(500),
    result               MEDIUMTEXT,
    result_format        VARCHAR(100) NOT NULL,
    ended_at             DATETIME(6),
    ended_as             VARCHAR(10),
    claimed_by           CHAR(36),
    claim_no             INTEGER      NOT NULL,
    claim_request        CHAR(36),
    claimed_at           DATETIME(6),
    started              BOOLEAN      NOT NULL,
    parked               BOOLEAN      NOT NULL,
    fingerprint          VARCHAR(200),
    join_id              CHAR(36),
    join_policy          VARCHAR(10),
    waiting_for          INTEGER      NOT NULL DEFAULT 0,
    limit_key            VARCHAR(500),
    limit_slots          INTEGER,
    rate_key             VARCHAR(500),
    -- Claims read due rows in order from here and see no other (R18).
    open_queue VARCHAR(200) GENERATED ALWAYS AS (CASE
        WHEN claimed_by IS NULL AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
            AND parked = 0 AND lost_count < 2 THEN queue
    END) STORED,
    -- Rows of names that the engine which met them does not handle (R19).
    parked_name VARCHAR(200) GENERATED ALWAYS AS (CASE
        WHEN claimed_by IS NULL AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
            AND parked = 1 AND lost_count < 2 THEN name
    END) STORED,
    -- Rows that may have killed their engines, claimed one at a time (R15).
    suspect_time DATETIME(6) GENERATED ALWAYS AS (CASE
        WHEN claimed_by IS NULL AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
            AND lost_count >= 2 THEN schedule_time
    END) STORED,
    CHECK (priority BETWEEN 0 AND 3),
    CHECK (retention BETWEEN 0 AND 2),
    KEY stepwell_ready_claim (open_queue, priority, schedule_time, id),
    KEY stepwell_ready_parked (parked_name, queue, schedule_time, id),
    KEY stepwell_ready_suspect (suspect_time, id),
    -- What an engine holds.
    KEY stepwell_ready_claimed (claimed_by, id),
    -- Claims of one flow (R36), and its ready rows.
    KEY stepwell_ready_flow (flow_id, schedule_time, id),
    UNIQUE KEY stepwell_ready_unique (name, unique_key),
    KEY stepwell_ready_search (search_key, id),
    KEY stepwell_ready_correlation (correlation_id, id),
    KEY stepwell_ready_join (join_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS stepwell_done (
    id                   CHAR(36)     NOT NULL PRIMARY KEY,
    name                 VARCHAR(200) NOT NULL,
    flow_id              CHAR(36)     NOT NULL,
    created_at           DATETIME(6)  NOT NULL,
    schedule_time        DATETIME(6)  NOT NULL,
    queue                VARCHAR(200) NOT NULL,
    priority             TINYINT      NOT NULL,
    unique_key           VARCHAR(500),
    correlation_id       VARCHAR(500),
    search_key           VARCHAR(500),
    description          MEDIUMTEXT,
    created_by_step_id   CHAR(36),
    copy_of              CHAR(36),
    retention            TINYINT      NOT NULL,
    state                MEDIUMTEXT,
    state_format         VARCHAR(100) NOT NULL,
    activation_args      MEDIUMTEXT,
    activation_no        INTEGER      NOT NULL,
    activation_seen      INTEGER      NOT NULL,
    execution_count      INTEGER      NOT NULL,
    failure_count        INTEGER      NOT NULL,
    lost_count           INTEGER      NOT NULL,
    execution_started_at DATETIME(6),
    execution_duration   DOUBLE,
    executed_by          VARCHAR(500),
    result               MEDIUMTEXT,
    result_format        VARCHAR(100) NOT NULL,
    ended_at             DATETIME(6),
    ended_as             VARCHAR(10),
    claimed_by           CHAR(36),
    claim_no             INTEGER      NOT NULL,
    claim_request        CHAR(36),
    claimed_at           DATETIME(6),
    started              BOOLEAN      NOT NULL,
    parked               BOOLEAN      NOT NULL,
    fingerprint          VARCHAR(200),
    join_id              CHAR(36),
    join_policy          VARCHAR(10),
    waiting_for          INTEGER      NOT NULL DEFAULT 0,
    limit_key            VARCHAR(500),
    limit_slots          INTEGER,
    rate_key             VARCHAR(500),
    KEY stepwell_done_flow (flow_id, id),
    KEY stepwell_done_name (name, ended_at),
    KEY stepwell_done_search (search_key, id),
    KEY stepwell_done_correlation (correlation_id, id),
    KEY stepwell_done_join (join_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS stepwell_failed (
    id                   CHAR(36)     NOT NULL PRIMARY KEY,
    name                 VARCHAR(200) NOT NULL,
    flow_id              CHAR(36)     NOT NULL,
    created_at           DATETIME(6)  NOT NULL,
    schedule_time        DATETIME(6)  NOT NULL,
    queue                VARCHAR(200) NOT NULL,
    priority             TINYINT      NOT NULL,
    unique_key           VARCHAR(500),
    correlation_id       VARCHAR(500),
    search_key           VARCHAR(500),
    description          MEDIUMTEXT,
    created_by_step_id   CHAR(36),
    copy_of              CHAR(36),
    retention            TINYINT      NOT NULL,
    state                MEDIUMTEXT,
    state_format         VARCHAR(100) NOT NULL,
    activation_args      MEDIUMTEXT,
    activation_no        INTEGER      NOT NULL,
    activation_seen      INTEGER      NOT NULL,
    execution_count      INTEGER      NOT NULL,
    failure_count        INTEGER      NOT NULL,
    lost_count           INTEGER      NOT NULL,
    execution_started_at DATETIME(6),
    execution_duration   DOUBLE,
    executed_by          VARCHAR(500),
    result               MEDIUMTEXT,
    result_format        VARCHAR(100) NOT NULL,
    ended_at             DATETIME(6),
    ended_as             VARCHAR(10),
    claimed_by           CHAR(36),
    claim_no             INTEGER      NOT NULL,
    claim_request        CHAR(36),
    claimed_at           DATETIME(6),
    started              BOOLEAN      NOT NULL,
    parked               BOOLEAN      NOT NULL,
    fingerprint          VARCHAR(200),
    join_id              CHAR(36),
    join_policy          VARCHAR(10),
    waiting_for          INTEGER      NOT NULL DEFAULT 0,
    limit_key            VARCHAR(500),
    limit_slots          INTEGER,
    rate_key             VARCHAR(500),
    KEY stepwell_failed_flow (flow_id, id),
    KEY stepwell_failed_name (name, ended_at),
    KEY stepwell_failed_search (search_key, id),
    KEY stepwell_failed_correlation (correlation_id, id),
    KEY stepwell_failed_join (join_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

CREATE OR REPLACE VIEW stepwell_steps AS
SELECT
    'ready' AS status,
    id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
    correlation_id, search_key, description, created_by_step_id, copy_of, retention,
    state, state_format, activation_args, activation_no, activation_seen,
    execution_count, failure_count, lost_count, execution_started_at,
    execution_duration, executed_by, result, result_format, ended_at, ended_as,
    claimed_by, claim_no, claim_request, claimed_at, started, parked,
    fingerprint, join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
FROM stepwell_ready
UNION ALL
SELECT
    'done' AS status,
    id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
    correlation_id, search_key, description, created_by_step_id, copy_of, retention,
    state, state_format, activation_args, activation_no, activation_seen,
    execution_count, failure_count, lost_count, execution_started_at,
    execution_duration, executed_by, result, result_format, ended_at, ended_as,
    claimed_by, claim_no, claim_request, claimed_at, started, parked,
    fingerprint, join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
FROM stepwell_done
UNION ALL
SELECT
    'failed' AS status,
    id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
    correlation_id, search_key, description, created_by_step_id, copy_of, retention,
    state, state_format, activation_args, activation_no, activation_seen,
    execution_count, failure_count, lost_count, execution_started_at,
    execution_duration, executed_by, result, result_format, ended_at, ended_as,
    claimed_by, claim_no, claim_request, claimed_at, started, parked,
    fingerprint, join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
FROM stepwell_failed;

-- Live engines: a beat counter and no time (R10). handles and queues are JSON arrays.
CREATE TABLE IF NOT EXISTS stepwell_engines (
    id      CHAR(36)     NOT NULL PRIMARY KEY,
    name    VARCHAR(500) NOT NULL,
    version VARCHAR(100) NOT NULL,
    handles MEDIUMTEXT   NOT NULL,
    queues  MEDIUMTEXT   NOT NULL,
    beat    BIGINT       NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

-- Pauses of queues and names, slots of limits, and the next free instant of rates (R20).
CREATE TABLE IF NOT EXISTS stepwell_controls (
    kind         VARCHAR(10)  NOT NULL CHECK (kind IN ('pause', 'limit', 'rate')),
    `key`        VARCHAR(500) NOT NULL,
    slots        INTEGER,
    period       DOUBLE,
    next_free_at DATETIME(6),
    reason       MEDIUMTEXT,
    changed_by   VARCHAR(500),
    changed_at   DATETIME(6)  NOT NULL,
    PRIMARY KEY (kind, `key`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

-- The rows that `add_if_none` locks: criteria share them by their checksum (R9).
INSERT IGNORE INTO stepwell_meta (`key`, value)
VALUES
    ('criteria_0', 'a lock'), ('criteria_1', 'a lock'), ('criteria_2', 'a lock'), ('criteria_3', 'a lock'),
    ('criteria_4', 'a lock'), ('criteria_5', 'a lock'), ('criteria_6', 'a lock'), ('criteria_7', 'a lock'),
    ('criteria_8', 'a lock'), ('criteria_9', 'a lock'), ('criteria_10', 'a lock'), ('criteria_11', 'a lock'),
    ('criteria_12', 'a lock'), ('criteria_13', 'a lock'), ('criteria_14', 'a lock'), ('criteria_15', 'a lock');
