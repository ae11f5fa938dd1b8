-- Keyed by its place in the log, so that writing it again after a rewind changes nothing.
CREATE TABLE IF NOT EXISTS identity_transfer_rows
(
    tenant LowCardinality(String),
    anonymous_id String,
    user_id String COMMENT 'the known user that it became',
    id String COMMENT 'of the identify event',
    time DateTime64(3, 'UTC') COMMENT 'event time of the identify' CODEC(Delta, ZSTD(1)),
    received DateTime64(3, 'UTC') COMMENT 'append time of the transfer in the log' CODEC(Delta, ZSTD(1)),
    source LowCardinality(String) COMMENT 'of the identify: browser (not vouched for), http, feed:<run>...',
    state_bytes UInt32 COMMENT 'of the state that came along; 0: there was none',
    simulated Bool,
    source_partition UInt32 COMMENT 'of the anonymous id',
    source_position UInt64 COMMENT 'of the identify: events of the anonymous id before it came along',
    partition UInt32 COMMENT 'of the user',
    position UInt64 COMMENT 'the user has them from here on'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (partition, position, received)
TTL toDateTime(received) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Storage of the view identity_transfers';

-- Events of the anonymous id at its partition's positions after `after_position` and before `source_position` came along.
CREATE OR REPLACE VIEW identity_transfers AS
SELECT
    *,
    max(source_position) OVER (
        PARTITION BY tenant, anonymous_id ORDER BY source_position
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS after_position
FROM identity_transfer_rows FINAL
COMMENT 'Anonymous ids that became known users, and where in the log';

-- Events as subjects have them. An event of an anonymous id is its own at its place, and from the transfer on its
-- user's too; one that was forwarded is the user's alone, where it arrived. Ask for a subject as of a position:
-- WHERE tenant = ... AND of_subject = ... AND of_partition = ... AND of_position <= ...
CREATE OR REPLACE VIEW subject_events AS
SELECT
    events.subject AS of_subject,
    events.partition AS of_partition,
    events.position AS of_position,
    events.*
FROM events
UNION ALL
SELECT
    concat('u:', moves.user_id) AS of_subject,
    moves.partition AS of_partition,
    moves.position AS of_position,
    events.*
FROM events
INNER JOIN identity_transfers AS moves
    ON events.tenant = moves.tenant AND events.subject = concat('a:', moves.anonymous_id)
WHERE events.partition = moves.source_partition
    AND events.position < moves.source_position
    AND (moves.after_position = 0 OR events.position > moves.after_position)
COMMENT 'Events by the subject that has them, and from which position of its partition on';
