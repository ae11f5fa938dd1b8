-- What subjects did: one row for each accepted event. Repeats, dead letters and the engine's own events ($...) stand in
-- tables of their own. All times of retention and partitioning are `received`, the append time in the log: event time is
-- the producer's and can be years old in a file that is fed.
CREATE TABLE IF NOT EXISTS events
(
    tenant LowCardinality(String),
    subject String COMMENT 'u:<userId> or a:<anonymousId>',
    user_id String COMMENT 'empty: none',
    anonymous_id String COMMENT 'empty: none',
    type LowCardinality(String),
    time DateTime64(3, 'UTC') COMMENT 'event time; append time where the stated one was later' CODEC(Delta, ZSTD(1)),
    stated_time DateTime64(3, 'UTC') COMMENT 'event time as the producer stated it' CODEC(Delta, ZSTD(1)),
    received DateTime64(3, 'UTC') COMMENT 'append time in the log' CODEC(Delta, ZSTD(1)),
    id String COMMENT 'the producer''s message id',
    session String COMMENT 'empty: none',
    properties String COMMENT 'JSON' CODEC(ZSTD(3)),
    context String COMMENT 'JSON' CODEC(ZSTD(3)),
    source LowCardinality(String) COMMENT 'http, browser, simulator, feed:<run>...',
    declared Bool COMMENT 'the workspace declares this event type',
    simulated Bool,
    late_ms UInt64 COMMENT 'milliseconds behind the watermark; 0: not late',
    clamped Bool COMMENT 'the stated time was after the append time',
    partition UInt32,
    position UInt64 COMMENT 'offset in the log' CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (tenant, type, time, subject)
TTL toDateTime(received) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What subjects did, each event once';

-- A decision may be written again after a rewind of the state store; `version` says which one stands.
CREATE TABLE IF NOT EXISTS decision_rows
(
    id String,
    tenant LowCardinality(String),
    subject String,
    session String COMMENT 'empty: none',
    placement LowCardinality(String),
    started_by LowCardinality(String) COMMENT 'trigger or request',
    trigger LowCardinality(String) COMMENT 'empty: a request',
    request String COMMENT 'empty: a trigger',
    event_id String COMMENT 'the event that started it; empty: a request',
    event_type LowCardinality(String),
    time DateTime64(3, 'UTC') COMMENT 'event time' CODEC(Delta, ZSTD(1)),
    received DateTime64(3, 'UTC') COMMENT 'append time of its event, or receive time of its request' CODEC(Delta, ZSTD(1)),
    decided DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    action LowCardinality(Nullable(String)) COMMENT 'NULL: nothing was offered',
    choice_propensity Float64,
    deterministic Bool,
    accept_probability Nullable(Float64) COMMENT 'of the chosen action',
    candidates UInt32,
    available Array(LowCardinality(String)) COMMENT 'actions that had room, in ranking order',
    rung LowCardinality(String),
    rung_reason LowCardinality(String),
    mode LowCardinality(String) COMMENT 'act, observe or stopped',
    model LowCardinality(String) COMMENT 'id@version; empty: none',
    model_sha256 LowCardinality(String),
    policy LowCardinality(String),
    workspace LowCardinality(String),
    purpose LowCardinality(String),
    expires Nullable(DateTime64(3, 'UTC')) COMMENT 'the offer is never shown after it',
    recorded Bool,
    simulated Bool,
    partition UInt32,
    position UInt64 COMMENT 'features are as of this offset of the log',
    features_ms Float64,
    scoring_ms Float64,
    total_ms Float64,
    record String COMMENT 'the whole decision, JSON' CODEC(ZSTD(3)),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(received)
ORDER BY id
TTL toDateTime(received) + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Storage of the view decisions';

-- The first exposure of a decision stands: the version falls as the position rises. A tenant can't overwrite another's.
CREATE TABLE IF NOT EXISTS exposure_rows
(
    decision String,
    tenant LowCardinality(String),
    action LowCardinality(String),
    placement LowCardinality(String),
    subject String,
    session String,
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    id String,
    source LowCardinality(String),
    simulated Bool,
    partition UInt32,
    position UInt64,
    version UInt64 MATERIALIZED 18446744073709551615 - position
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(received)
ORDER BY (decision, tenant)
TTL toDateTime(received) + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Storage of the view exposures';

CREATE TABLE IF NOT EXISTS outcome_rows
(
    decision String,
    tenant LowCardinality(String),
    outcome LowCardinality(String),
    value Nullable(Float64) COMMENT 'in the tenant''s currency',
    action LowCardinality(String),
    placement LowCardinality(String),
    subject String,
    session String,
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    id String,
    source LowCardinality(String),
    simulated Bool,
    partition UInt32,
    position UInt64,
    version UInt64 MATERIALIZED 18446744073709551615 - position
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(received)
ORDER BY (decision, tenant, outcome)
TTL toDateTime(received) + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Storage of the view outcomes';

-- Everything below is keyed by its place in the log, so that writing it again after a rewind changes nothing.
CREATE TABLE IF NOT EXISTS dead_letter_rows
(
    tenant LowCardinality(String) COMMENT 'empty: could not be read',
    event_id String COMMENT 'empty: could not be read',
    source LowCardinality(String) COMMENT 'empty: could not be read',
    code LowCardinality(String),
    message String,
    bytes String COMMENT 'the record as it was, base64' CODEC(ZSTD(3)),
    received DateTime64(3, 'UTC') COMMENT 'append time in the log' CODEC(Delta, ZSTD(1)),
    simulated Bool,
    partition UInt32,
    position UInt64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (partition, position, received)
TTL toDateTime(received) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Storage of the view dead_letters';

CREATE TABLE IF NOT EXISTS duplicate_rows
(
    tenant LowCardinality(String),
    id String,
    type LowCardinality(String),
    source LowCardinality(String),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    simulated Bool,
    partition UInt32,
    position UInt64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (partition, position, received)
TTL toDateTime(received) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Storage of the view duplicates';

CREATE TABLE IF NOT EXISTS control_event_rows
(
    tenant LowCardinality(String),
    type LowCardinality(String),
    subject String,
    session String,
    time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    id String,
    properties String COMMENT 'JSON',
    source LowCardinality(String),
    simulated Bool,
    partition UInt32,
    position UInt64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (partition, position, received)
TTL toDateTime(received) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Storage of the view control_events';
