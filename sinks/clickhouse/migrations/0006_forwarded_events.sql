-- What the partition of an anonymous id saw of events that are its user's, from the `identify` on: state that is made
-- anew from these tables needs them there. The events themselves stand in `events`, as their user's.
CREATE TABLE IF NOT EXISTS forwarded_event_rows
(
    tenant LowCardinality(String),
    anonymous_id String,
    user_id String COMMENT 'of an identify; else empty',
    type LowCardinality(String),
    stated_time DateTime64(3, 'UTC') COMMENT 'event time as the producer stated it' CODEC(Delta, ZSTD(1)),
    received DateTime64(3, 'UTC') COMMENT 'append time in the log' CODEC(Delta, ZSTD(1)),
    id String,
    session String COMMENT 'empty: none',
    properties String COMMENT 'JSON' CODEC(ZSTD(3)),
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
COMMENT 'Storage of the view forwarded_events';

CREATE OR REPLACE VIEW forwarded_events AS SELECT * FROM forwarded_event_rows FINAL
COMMENT 'Events of anonymous ids that went on to their users, where they were first';
