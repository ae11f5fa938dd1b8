/** Null when Kafka can be run here, else what is missing, as a sentence. */
export function whyNoKafka(): string | null;
/** Folder with `libs/`, Kafka's jars. Throws when Maven can't fetch them. */
export function fetchKafka(): string;
