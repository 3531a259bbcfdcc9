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

-- There are no indexes of a part of the rows. Computed columns stand in for them: each has a
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
    limit_key            VARCHAR(200),
    limit_slots          INTEGER,
    rate_key             VARCHAR(200),
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
        WHEN claimed_by IS NULL AND waiting_for = 0 AND lost_count >= 2 THEN schedule_time
    END) STORED,
    -- Rows with a limit or rate key (R20): whether one is due; the keys that have rows
    -- waiting, each with its rows in order; the slots that are taken.
    limited_name VARCHAR(200) GENERATED ALWAYS AS (CASE
        WHEN claimed_by IS NULL AND waiting_for = 0
            AND COALESCE(limit_key, rate_key) IS NOT NULL THEN name
    END) STORED,
    limited_pair VARCHAR(401) GENERATED ALWAYS AS (CASE
        WHEN claimed_by IS NULL AND waiting_for = 0
            AND COALESCE(limit_key, rate_key) IS NOT NULL AND lost_count < 2
        THEN CONCAT(COALESCE(limit_key, ''), CHAR(31 USING utf8mb4), COALESCE(rate_key, ''))
    END) STORED,
    held_key VARCHAR(200) GENERATED ALWAYS AS (CASE
        WHEN claimed_at IS NOT NULL THEN limit_key
    END) STORED,
    CHECK (priority BETWEEN 0 AND 3),
    CHECK (retention BETWEEN 0 AND 2),
    KEY stepwell_ready_claim (open_queue, priority, schedule_time, id),
    KEY stepwell_ready_parked (parked_name, queue, schedule_time, id),
    KEY stepwell_ready_suspect (suspect_time, id),
    KEY stepwell_ready_limited (limited_name, queue, schedule_time),
    KEY stepwell_ready_pairs (limited_name, limited_pair, priority, schedule_time, id),
    KEY stepwell_ready_slots (held_key),
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
    limit_key            VARCHAR(200),
    limit_slots          INTEGER,
    rate_key             VARCHAR(200),
    KEY stepwell_done_flow (flow_id, id),
    KEY stepwell_done_name (name, ended_at),
    -- What was kept for long enough (R23).
    KEY stepwell_done_ended (retention, ended_at),
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
    limit_key            VARCHAR(200),
    limit_slots          INTEGER,
    rate_key             VARCHAR(200),
    KEY stepwell_failed_flow (flow_id, id),
    KEY stepwell_failed_name (name, ended_at),
    -- What was kept for long enough (R23).
    KEY stepwell_failed_ended (retention, ended_at),
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
    `period`     DOUBLE,
    next_free_at DATETIME(6),
    reason       MEDIUMTEXT,
    changed_by   VARCHAR(500),
    changed_at   DATETIME(6)  NOT NULL,
    PRIMARY KEY (kind, `key`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

-- Locks that end with a transaction, whoever commits it: of the criteria of `add_if_none`
-- (R9) and of the keys of limits and rates (R20), which share them by their checksums.
INSERT IGNORE INTO stepwell_meta (`key`, value)
VALUES
    ('criteria_0', 'a lock'), ('criteria_1', 'a lock'), ('criteria_2', 'a lock'), ('criteria_3', 'a lock'),
    ('criteria_4', 'a lock'), ('criteria_5', 'a lock'), ('criteria_6', 'a lock'), ('criteria_7', 'a lock'),
    ('criteria_8', 'a lock'), ('criteria_9', 'a lock'), ('criteria_10', 'a lock'), ('criteria_11', 'a lock'),
    ('criteria_12', 'a lock'), ('criteria_13', 'a lock'), ('criteria_14', 'a lock'), ('criteria_15', 'a lock'),
    ('limit_0', 'a lock'), ('limit_1', 'a lock'), ('limit_2', 'a lock'), ('limit_3', 'a lock'),
    ('limit_4', 'a lock'), ('limit_5', 'a lock'), ('limit_6', 'a lock'), ('limit_7', 'a lock'),
    ('limit_8', 'a lock'), ('limit_9', 'a lock'), ('limit_10', 'a lock'), ('limit_11', 'a lock'),
    ('limit_12', 'a lock'), ('limit_13', 'a lock'), ('limit_14', 'a lock'), ('limit_15', 'a lock'),
    ('limit_16', 'a lock'), ('limit_17', 'a lock'), ('limit_18', 'a lock'), ('limit_19', 'a lock'),
    ('limit_20', 'a lock'), ('limit_21', 'a lock'), ('limit_22', 'a lock'), ('limit_23', 'a lock'),
    ('limit_24', 'a lock'), ('limit_25', 'a lock'), ('limit_26', 'a lock'), ('limit_27', 'a lock'),
    ('limit_28', 'a lock'), ('limit_29', 'a lock'), ('limit_30', 'a lock'), ('limit_31', 'a lock'),
    ('limit_32', 'a lock'), ('limit_33', 'a lock'), ('limit_34', 'a lock'), ('limit_35', 'a lock'),
    ('limit_36', 'a lock'), ('limit_37', 'a lock'), ('limit_38', 'a lock'), ('limit_39', 'a lock'),
    ('limit_40', 'a lock'), ('limit_41', 'a lock'), ('limit_42', 'a lock'), ('limit_43', 'a lock'),
    ('limit_44', 'a lock'), ('limit_45', 'a lock'), ('limit_46', 'a lock'), ('limit_47', 'a lock'),
    ('limit_48', 'a lock'), ('limit_49', 'a lock'), ('limit_50', 'a lock'), ('limit_51', 'a lock'),
    ('limit_52', 'a lock'), ('limit_53', 'a lock'), ('limit_54', 'a lock'), ('limit_55', 'a lock'),
    ('limit_56', 'a lock'), ('limit_57', 'a lock'), ('limit_58', 'a lock'), ('limit_59', 'a lock'),
    ('limit_60', 'a lock'), ('limit_61', 'a lock'), ('limit_62', 'a lock'), ('limit_63', 'a lock');
