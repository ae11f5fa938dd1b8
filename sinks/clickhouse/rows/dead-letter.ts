import type { DeadLetter } from '../../../schemas/index.ts';
import type { Row } from './event.ts';
import { countOf, timeOf } from './well-formed.ts';

export function rowOfDeadLetter(letter: DeadLetter): Row {
  return {
    table: 'dead_letter_rows',
    row: {
      tenant: letter.tenant ?? '',
      event_id: letter.eventId ?? '',
      source: letter.source ?? '',
      code: letter.code,
      message: letter.message,
      bytes: letter.bytes,
      received: timeOf(letter.appendedAt),
      // Its ids are unread, so a simulated visitor's is known by its source alone.
      simulated: letter.source === 'simulator',
      partition: letter.partition,
      position: countOf(letter.position),
    },
  };
}
