/** How subjects are named, by the names that Confluent's serializers use. */
export const subjectStrategies = [
  'TopicRecordNameStrategy',
  'RecordNameStrategy',
  'TopicNameStrategy',
] as const;
export type SubjectStrategy = (typeof subjectStrategies)[number];

/**
 * The subject of a record name in a topic. TopicRecordNameStrategy, the default, lets a topic hold several types that
 * evolve each for itself; TopicNameStrategy has one schema for the whole topic.
 */
export function subjectOf(strategy: SubjectStrategy, topic: string, recordName: string): string {
  switch (strategy) {
    case 'TopicRecordNameStrategy':
      return `${topic}-${recordName}`;
    case 'RecordNameStrategy':
      return recordName;
    case 'TopicNameStrategy':
      return `${topic}-value`;
  }
}
