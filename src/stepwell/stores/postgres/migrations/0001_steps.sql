-- The first schema (R22, R23): three tables of the same columns in the same order, so
-- that a row moves with INSERT ... SELECT *. Columns from fingerprint on are for joins,
-- limits and idempotent adding. Names and keys sort by their bytes, so that a prefix is
-- a range of the index whatever the database's language.

CREATE TABLE stepwell_ready (
    id                   uuid             NOT NULL PRIMARY KEY,
    name                 text COLLATE "C" NOT NULL,
    flow_id              uuid             NOT NULL,
    created_at           timestamptz      NOT NULL,
    schedule_time        timestamptz      NOT NULL,
    queue                text COLLATE "C" NOT NULL,
    priority             smallint         NOT NULL CHECK (priority BETWEEN 0 AND 3),
    unique_key           text COLLATE "C",
    correlation_id       text COLLATE "C",
    search_key           text COLLATE "C",
    description          text,
    created_by_step_id   uuid,
    copy_of              uuid,
    retention            smallint         NOT NULL CHECK (retention BETWEEN 0 AND 2),
    state                text,
    state_format         text             NOT NULL,
    activation_args      text,
    activation_no        integer          NOT NULL,
    activation_seen      integer          NOT NULL,
    execution_count      integer          NOT NULL,
    failure_count        integer          NOT NULL,
    lost_count           integer          NOT NULL,
    execution_started_at timestamptz,
    execution_duration   double precision,
    executed_by          text,
    result               text,
    result_format        text             NOT NULL,
    ended_at             timestamptz,
    ended_as             text,
    claimed_by           uuid,
    claim_no             integer          NOT NULL,
    claim_request        uuid,
    claimed_at           timestamptz,
    started              boolean          NOT NULL,
    parked               boolean          NOT NULL,
    fingerprint          text,
    join_id              uuid,
    join_policy          text,
    waiting_for          integer          NOT NULL DEFAULT 0,
    limit_key            text,
    limit_slots          integer,
    rate_key             text
) WITH (
    -- A queue's rows live for seconds: room to update in place, and a vacuum that counts
    -- dead rows and not shares of a table whose size says nothing.
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_analyze_threshold = 1000,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold = 1000,
    toast.autovacuum_vacuum_cost_delay = 0
);

-- Claims read due rows in order from here and see no other (R18).
CREATE INDEX stepwell_ready_claim ON stepwell_ready (queue, priority, schedule_time, id)
WHERE claimed_by IS NULL AND NOT parked AND lost_count < 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL;

-- Rows of names that the engine which met them does not handle (R19).
CREATE INDEX stepwell_ready_parked ON stepwell_ready (name, queue, schedule_time, id)
WHERE claimed_by IS NULL AND parked AND lost_count < 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL;

-- Rows that may have killed their engines, claimed one at a time (R15).
CREATE INDEX stepwell_ready_suspect ON stepwell_ready (schedule_time, id)
WHERE claimed_by IS NULL AND lost_count >= 2
    AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL;

-- What an engine holds.
CREATE INDEX stepwell_ready_claimed ON stepwell_ready (claimed_by) WHERE claimed_by IS NOT NULL;

-- Claims of one flow (R36), and its ready rows.
CREATE INDEX stepwell_ready_flow ON stepwell_ready (flow_id, schedule_time, id);

CREATE UNIQUE INDEX stepwell_ready_unique ON stepwell_ready (name, unique_key)
WHERE unique_key IS NOT NULL;

CREATE INDEX stepwell_ready_search ON stepwell_ready (search_key, id)
WHERE search_key IS NOT NULL;
CREATE INDEX stepwell_ready_correlation ON stepwell_ready (correlation_id, id)
WHERE correlation_id IS NOT NULL;

-- Ended rows: a list of retention classes, each a range of months, so that retention
-- drops tables and deletes no rows (R23).
CREATE TABLE stepwell_done (LIKE stepwell_ready INCLUDING DEFAULTS)
PARTITION BY LIST (retention);
CREATE TABLE stepwell_failed (LIKE stepwell_ready INCLUDING DEFAULTS)
PARTITION BY LIST (retention);

CREATE TABLE stepwell_done_short PARTITION OF stepwell_done
FOR VALUES IN (0) PARTITION BY RANGE (ended_at);
CREATE TABLE stepwell_done_standard PARTITION OF stepwell_done
FOR VALUES IN (1) PARTITION BY RANGE (ended_at);
CREATE TABLE stepwell_done_long PARTITION OF stepwell_done
FOR VALUES IN (2) PARTITION BY RANGE (ended_at);
CREATE TABLE stepwell_failed_short PARTITION OF stepwell_failed
FOR VALUES IN (0) PARTITION BY RANGE (ended_at);
CREATE TABLE stepwell_failed_standard PARTITION OF stepwell_failed
FOR VALUES IN (1) PARTITION BY RANGE (ended_at);
CREATE TABLE stepwell_failed_long PARTITION OF stepwell_failed
FOR VALUES IN (2) PARTITION BY RANGE (ended_at);

-- A row finds a place even where nobody has made its month.
CREATE TABLE stepwell_done_short_default PARTITION OF stepwell_done_short DEFAULT;
CREATE TABLE stepwell_done_standard_default PARTITION OF stepwell_done_standard DEFAULT;
CREATE TABLE stepwell_done_long_default PARTITION OF stepwell_done_long DEFAULT;
CREATE TABLE stepwell_failed_short_default PARTITION OF stepwell_failed_short DEFAULT;
CREATE TABLE stepwell_failed_standard_default PARTITION OF stepwell_failed_standard DEFAULT;
CREATE TABLE stepwell_failed_long_default PARTITION OF stepwell_failed_long DEFAULT;

CREATE INDEX stepwell_done_id ON stepwell_done (id);
CREATE INDEX stepwell_done_flow ON stepwell_done (flow_id, id);
CREATE INDEX stepwell_done_name ON stepwell_done (name, ended_at);
CREATE INDEX stepwell_done_search ON stepwell_done (search_key, id)
WHERE search_key IS NOT NULL;
CREATE INDEX stepwell_done_correlation ON stepwell_done (correlation_id, id)
WHERE correlation_id IS NOT NULL;

CREATE INDEX stepwell_failed_id ON stepwell_failed (id);
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
    id      uuid    NOT NULL PRIMARY KEY,
    name    text    NOT NULL,
    version text    NOT NULL,
    handles jsonb   NOT NULL,
    queues  jsonb   NOT NULL,
    beat    integer NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- Pauses of queues and names, slots of limits, and the next free instant of rates (R20).
CREATE TABLE stepwell_controls (
    kind         text NOT NULL CHECK (kind IN ('pause', 'limit', 'rate')),
    key          text NOT NULL,
    slots        integer,
    period       double precision,
    next_free_at timestamptz,
    reason       text,
    changed_by   text,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (kind, key)
);

CREATE TABLE stepwell_meta (
    key   text NOT NULL PRIMARY KEY,
    value text NOT NULL
);

INSERT INTO stepwell_meta (key, value) VALUES ('schema_version', '1');

-- Makes the partitions of the current month (UTC) and of so many months after it that do
-- not exist, and returns their names. Rows that had to go to the default partition
-- meanwhile move to their month. A new partition is attached and not created in place,
-- so that nobody who reads or writes the others has to wait.
CREATE FUNCTION stepwell_make_partitions(months_ahead integer DEFAULT 3)
RETURNS SETOF text LANGUAGE plpgsql AS $body$
DECLARE
    parent text;
    part text;
    month timestamptz;
    next_month timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('stepwell_make_partitions', 0));
    FOR parent, month, next_month IN
        SELECT 'stepwell_' || outcome || '_' || class,
            (this_month + make_interval(months => ahead)) AT TIME ZONE 'UTC',
            (this_month + make_interval(months => ahead + 1)) AT TIME ZONE 'UTC'
        FROM unnest(ARRAY['done', 'failed']) AS outcome,
            unnest(ARRAY['short', 'standard', 'long']) AS class,
            generate_series(0, months_ahead) AS ahead,
            date_trunc('month', now() AT TIME ZONE 'UTC') AS this_month
    LOOP
        part := parent || to_char(month AT TIME ZONE 'UTC', '_YYYY_MM');
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS)', part, parent);
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
        EXECUTE format(
            'WITH late AS (DELETE FROM %I WHERE ended_at >= %L AND ended_at < %L RETURNING *)
            INSERT INTO %I SELECT * FROM late',
            parent || '_default', month, next_month, part);
        EXECUTE format(
            'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            parent, part, month, next_month);
        RETURN NEXT part;
    END LOOP;
END
$body$;
