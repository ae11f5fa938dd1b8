-- A record that a source could not use is appended again where the program ends before the topic's offset is committed.
-- Its message begins with its place in that topic, by which it is one letter all the same.
CREATE OR REPLACE VIEW dead_letters AS
SELECT * FROM dead_letter_rows FINAL
ORDER BY received, partition, position
LIMIT 1 BY tenant, source, if(
    startsWith(source, 'source:') AND match(message, '^[^ ]+\\[[0-9]+\\]@[0-9]+: '),
    splitByChar(' ', message)[1],
    concat(toString(partition), '/', toString(position), '/', toString(received))
)
COMMENT 'Records of the log, and of topics read as sources, that could not be used: bytes, reason and coordinates';
