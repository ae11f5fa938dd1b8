import type { Columns } from './columns.ts';
import { endOfPlainText, skipSpace, skipValue } from './json.ts';
import { Names } from './names.ts';
import type { PropertyReader } from './properties.ts';

/** Fields of the stored event (schemas/event.ts), by their place here. */
const fields = [
  'v',
  'id',
  'tenant',
  'type',
  'userId',
  'anonymousId',
  'session',
  'source',
  'schema',
  'time',
  'properties',
  'context',
] as const;
const field = Object.fromEntries(fields.map((name, index) => [name, index])) as Record<
  (typeof fields)[number],
  number
>;
/** Up to here fields are texts; least and most characters of each, as schemas/event.ts says. */
const lastText = field.schema;
const leastLength = [0, 1, 1, 1, 1, 1, 1, 1, 0];
const mostLength = [0, 256, 64, 256, 256, 256, 256, 128, 64];
const required =
  (1 << field.v) |
  (1 << field.id) |
  (1 << field.tenant) |
  (1 << field.type) |
  (1 << field.source) |
  (1 << field.time) |
  (1 << field.properties);

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const one = 0x31;
const zero = 0x30;

/** Where the fields of one envelope are; used again for the next. A text is absent where `to` is 0. */
export interface Envelope {
  /** Begin and end of each text field, at twice its place. */
  readonly texts: Int32Array;
  time: number;
  /** From the opening to behind the closing brace. */
  propertiesFrom: number;
  propertiesTo: number;
}

export const makeEnvelope = (): Envelope => ({
  texts: new Int32Array(2 * fields.length),
  time: 0,
  propertiesFrom: 0,
  propertiesTo: 0,
});
export const textField = {
  id: 2 * field.id,
  tenant: 2 * field.tenant,
  type: 2 * field.type,
  userId: 2 * field.userId,
  anonymousId: 2 * field.anonymousId,
  session: 2 * field.session,
  source: 2 * field.source,
} as const;

const names = new Names(fields);

/**
 * Reads a stored event in place: its fields into `envelope`, its properties into a row of `columns`. False if it is
 * not a plain one (rare ways to write it, or no event at all): JSON.parse and zod then say what it is.
 */
export function readEnvelope(
  bytes: Buffer,
  from: number,
  to: number,
  envelope: Envelope,
  properties: PropertyReader,
  columns: Columns,
  row: number,
): boolean {
  const { texts } = envelope;
  texts.fill(0);
  let seen = 0;
  let i = skipSpace(bytes, from, to);
  if (i >= to || bytes[i] !== openBrace) return false;
  i = skipSpace(bytes, i + 1, to);
  for (;;) {
    if (i >= to || bytes[i] !== quote) return false;
    const nameEnd = endOfPlainText(bytes, i + 1, to);
    if (nameEnd < 0) return false;
    const index = names.indexOf(bytes, i + 1, nameEnd);
    i = skipSpace(bytes, nameEnd + 1, to);
    if (i >= to || bytes[i] !== colon) return false;
    i = skipSpace(bytes, i + 1, to);
    if (index < 0) i = skipValue(bytes, i, to);
    else {
      // Of a name that is there twice JSON.parse takes the last.
      if ((seen & (1 << index)) !== 0) return false;
      seen |= 1 << index;
      if (index === field.v) i = i < to && bytes[i] === one ? i + 1 : -1;
      else if (index <= lastText) i = readText(bytes, i, to, index, texts);
      else if (index === field.time) i = readTime(bytes, i, to, envelope);
      else if (i >= to || bytes[i] !== openBrace) return false;
      else if (index === field.properties) {
        envelope.propertiesFrom = i;
        i = properties.read(bytes, i + 1, to, columns, row);
        envelope.propertiesTo = i;
      } else i = skipValue(bytes, i, to);
    }
    if (i < 0) return false;
    i = skipSpace(bytes, i, to);
    if (i >= to) return false;
    if (bytes[i] === closeBrace) break;
    if (bytes[i] !== comma) return false;
    i = skipSpace(bytes, i + 1, to);
  }
  return (seen & required) === required && skipSpace(bytes, i + 1, to) === to;
}

function readText(bytes: Buffer, at: number, to: number, index: number, texts: Int32Array): number {
  if (at >= to || bytes[at] !== quote) return -1;
  const end = endOfPlainText(bytes, at + 1, to);
  const length = end - at - 1;
  if (length < (leastLength[index] as number) || length > (mostLength[index] as number)) return -1;
  texts[2 * index] = at + 1;
  texts[2 * index + 1] = end;
  return end + 1;
}

/** A whole number of at most 15 digits: below 2^53, and until the year 33658. */
function readTime(bytes: Buffer, at: number, to: number, envelope: Envelope): number {
  let i = at;
  let time = 0;
  while (i < to) {
    const c = (bytes[i] as number) - zero;
    if (c < 0 || c > 9) break;
    time = time * 10 + c;
    i++;
  }
  const digits = i - at;
  if (digits === 0 || digits > 15 || bytes[at] === zero) return -1;
  envelope.time = time;
  return i;
}
