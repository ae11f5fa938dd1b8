-- What people said of decisions that waited for them, or were drawn to be looked at. One verdict of each decision stands,
-- the first in the log.
CREATE TABLE IF NOT EXISTS review_rows
(
    decision String,
    tenant LowCardinality(String),
    action LowCardinality(String),
    placement LowCardinality(String),
    verdict LowCardinality(String) COMMENT 'approved, edited, rejected, or expired: nobody said anything in time',
    reason LowCardinality(String) COMMENT 'gate: it waited; sample: it had passed, and was executed',
    probability Float64 COMMENT 'P(reviewed): a label is weighted by 1 over it',
    confidence Nullable(Float64) COMMENT 'calibrated probability of being right; NULL: nothing calibrated it',
    threshold Float64,
    reviewed_by LowCardinality(String) COMMENT 'the credential; deadline: nobody',
    reviewer String COMMENT 'the name that the person gave; empty: none',
    note String CODEC(ZSTD(3)),
    escalated Bool,
    waited_ms UInt64 COMMENT 'from the decision to the verdict',
    content String COMMENT 'JSON, of an edit; else empty' CODEC(ZSTD(3)),
    subject String,
    session String,
    time DateTime64(3, 'UTC') COMMENT 'when it was said' CODEC(Delta, ZSTD(1)),
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
COMMENT 'Storage of the view reviews';

CREATE OR REPLACE VIEW reviews AS
SELECT * FROM review_rows FINAL
COMMENT 'What people said of decisions: one verdict of each';

-- Whether decisions were right. An approval counts once what would show it wrong (reopened, reversed) has had three days.
CREATE OR REPLACE VIEW review_labels AS
SELECT
    decision, tenant, action, placement, subject, verdict, reason, probability, 1 / probability AS weight, confidence,
    threshold, time, verdict = 'approved' AND wrong = 0 AS right,
    verdict != 'approved' OR wrong > 0 OR time <= now64(3) - INTERVAL 3 DAY AS mature, simulated
FROM reviews
LEFT JOIN
(
    SELECT decision, tenant, count() AS wrong FROM outcomes WHERE outcome IN ('reopened', 'reversed')
    GROUP BY decision, tenant
) AS after USING (decision, tenant)
WHERE verdict != 'expired'
COMMENT 'Was it right: 1 if a person approved it and it was not reopened or reversed; an edit says it was not';
