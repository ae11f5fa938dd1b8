-- The names that people query: each thing once.
CREATE OR REPLACE VIEW decisions AS
SELECT * EXCEPT (version) FROM decision_rows FINAL
COMMENT 'What was decided, each decision once';

CREATE OR REPLACE VIEW exposures AS
SELECT * FROM exposure_rows FINAL
COMMENT 'Offers that were shown: the first time for each decision';

CREATE OR REPLACE VIEW outcomes AS
SELECT * FROM outcome_rows FINAL
COMMENT 'What came of offers: the first of each kind for each decision';

CREATE OR REPLACE VIEW dead_letters AS
SELECT * FROM dead_letter_rows FINAL
COMMENT 'Records of the log that could not be used: bytes, reason and coordinates';

CREATE OR REPLACE VIEW duplicates AS
SELECT * FROM duplicate_rows FINAL
COMMENT 'Events that had been seen before and were left out';

CREATE OR REPLACE VIEW control_events AS
SELECT * FROM control_event_rows FINAL
COMMENT 'What the engine itself wrote to the log: sessions, stop and resume';
