-- An offer can convert more than once, and each time has its value: outcomes are told apart by their event's id too.
CREATE TABLE IF NOT EXISTS outcome_event_rows
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
ORDER BY (decision, tenant, outcome, id)
TTL toDateTime(received) + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Storage of the view outcomes';

INSERT INTO outcome_event_rows
    (decision, tenant, outcome, value, action, placement, subject, session, time, received, id, source, simulated, partition, position)
SELECT decision, tenant, outcome, value, action, placement, subject, session, time, received, id, source, simulated, partition, position
FROM outcome_rows FINAL;

CREATE OR REPLACE VIEW outcomes AS
SELECT * FROM outcome_event_rows FINAL
COMMENT 'What came of offers: each report once';

TRUNCATE TABLE IF EXISTS outcome_rows;
