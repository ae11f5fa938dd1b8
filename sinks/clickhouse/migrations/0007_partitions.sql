-- Partitions may have become others between an anonymous id's events and its `identify`. Positions go on rising across
-- that, so the order of a subject's events is that of their positions, whatever partition they were in.
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
WHERE events.position < moves.source_position
    AND (moves.after_position = 0 OR events.position > moves.after_position)
COMMENT 'Events by the subject that has them, and from which position on';
