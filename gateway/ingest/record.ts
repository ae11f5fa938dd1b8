import { partitionOf, rawIdOf, subjectOfEvent } from '../../core/index.ts';
import type { StoredEvent } from '../../schemas/index.ts';
import type { NewRecord } from '../../stream/log/port.ts';
import { limits } from '../limits.ts';
import { type Checked, kept, refused } from './reject.ts';

/**
 * An event as the log takes it: refuses `event_too_large` (as kept, in bytes of JSON) and `missing_subject`. `schema`:
 * the hash of the schema that it fits in full.
 */
export function toRecord(event: StoredEvent, partitions: number, schema?: string): Checked<NewRecord> {
  const subject = subjectOfEvent(event);
  if (subject === undefined) {
    return refused('missing_subject', 'Send userId or anonymousId: an event has to be about someone.');
  }
  const value = Buffer.from(JSON.stringify(event), 'utf8');
  if (value.length > limits.eventBytes) {
    return refused(
      'event_too_large',
      `The event is ${Math.ceil(value.length / 1024)} KB; at most 32 KB are taken.`,
    );
  }
  const key = rawIdOf(subject);
  const partition = partitionOf(key, partitions);
  return kept(schema === undefined ? { partition, key, value } : { partition, key, value, schema });
}
