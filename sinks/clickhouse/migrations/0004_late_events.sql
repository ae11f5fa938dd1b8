-- `late_ms` is set only beyond the allowed lateness of the event's type.
CREATE OR REPLACE VIEW late_events AS
SELECT * FROM events WHERE late_ms > 0
COMMENT 'Events later than their type allows: in features, but they started no decision';
