import { partitionOf, rawIdOf, type SubjectId, subjectOf } from '../../core/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { hashAscii, hashed } from '../features/parts/hash.ts';
import { type Decoded, Item } from '../item.ts';
import type { LogRecord } from '../log/port.ts';
import { jsonStart } from '../schemas/framing.ts';
import { type Columns, ValueKind } from './columns.ts';
import { makeEnvelope, readEnvelope, textField } from './envelope.ts';
import { Interner } from './interner.ts';
import { PropertyReader } from './properties.ts';

/** Subjects and event types whose texts are kept; beyond that all are forgotten and met anew. */
const mostSubjects = 50_000;
const mostTypes = 1_000;

/** What is known of an event type. */
interface KnownType {
  readonly name: string;
  readonly checks: readonly Check[];
}

/** A declared property: the sorts of value that fit, as bits, and whether it may be missing. */
interface Check {
  readonly column: number;
  readonly fitting: number;
}

interface KnownTenant {
  readonly name: string;
  readonly users: Interner<KnownSubject>;
  readonly visitors: Interner<KnownSubject>;
}

interface KnownSubject {
  readonly subject: SubjectId;
  readonly key: string;
}

/** An item that is filled in field by field; one object serves all. */
type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface PlainDecoder {
  /** Columns that a batch needs. */
  readonly width: number;
  /** The event of a plain record, in an item that nobody uses any more; null: the record needs a closer look. */
  decode(record: LogRecord, columns: Columns, row: number, used?: Item): Item | null;
}

/**
 * Reads the records that nearly all are: an event of a type that is not the engine's own, written as JSON.stringify
 * does, right in every respect. It says nothing of others: steps/decode.ts alone knows what is wrong and how to say it.
 */
export function plainDecoder(
  workspace: CompiledWorkspace,
  partition: number,
  partitions: number,
  read: readonly string[],
  earliestTime: number,
): PlainDecoder {
  const sources = workspace.source.types;
  const properties = new PropertyReader(
    read,
    Object.values(sources).flatMap((type) => Object.keys(type.properties)),
  );
  const tenants = new Interner<KnownTenant>(workspace.tenants.size + 1);
  for (const name of workspace.tenants.keys()) {
    const bytes = Buffer.from(name);
    const known = {
      name,
      users: new Interner<KnownSubject>(mostSubjects),
      visitors: new Interner<KnownSubject>(mostSubjects),
    };
    tenants.add(bytes, 0, bytes.length, known);
  }
  const types = new Interner<KnownType | 'special'>(mostTypes);
  const envelope = makeEnvelope();
  const { texts } = envelope;
  const decoded: Writable<Decoded> = { tenant: '', type: '', subject: '' as SubjectId, key: '', time: 0.5 };
  const scanned = {
    idFrom: 0,
    idTo: 0,
    idHigh: 0,
    idLow: 0,
    sessionFrom: 0,
    sessionTo: 0,
    visitorFrom: 0,
    visitorTo: 0,
    sourceFrom: 0,
    sourceTo: 0,
    propertiesFrom: 0,
    propertiesTo: 0,
  };

  /** `special`: types that mean something to the engine, and undeclared ones of a closed workspace. */
  function typeAt(bytes: Buffer, from: number, to: number): KnownType | 'special' {
    const known = types.find(bytes, from, to);
    if (known !== null) return known;
    const name = bytes.toString('latin1', from, to);
    const isSpecial = name.startsWith('$') || name === 'identify' || name === 'alias';
    const isOpen = workspace.eventsAreOpen || workspace.types.has(name);
    const type = isSpecial || !isOpen ? 'special' : { name, checks: checksOf(name) };
    types.add(bytes, from, to, type);
    return type;
  }

  function checksOf(name: string): Check[] {
    const type = Object.hasOwn(sources, name) ? sources[name] : undefined;
    if (type === undefined) return [];
    return Object.entries(type.properties).map(([property, expected]) => ({
      column: properties.names.indexOf(property),
      fitting: fittingOf(expected) | (type.required.includes(property) ? 0 : absent),
    }));
  }

  function subjectAt(tenant: KnownTenant, bytes: Buffer): KnownSubject | null {
    const userTo = texts[textField.userId + 1] as number;
    const isUser = userTo > 0;
    const from = texts[isUser ? textField.userId : textField.anonymousId] as number;
    const to = isUser ? userTo : (texts[textField.anonymousId + 1] as number);
    if (to === 0) return null;
    const subjects = isUser ? tenant.users : tenant.visitors;
    const known = subjects.find(bytes, from, to);
    if (known !== null) return known;
    const id = bytes.toString('latin1', from, to);
    const subject = subjectOf(isUser ? { userId: id } : { anonymousId: id });
    // Only subjects of this partition are kept, so that one look says it of all their events.
    if (subject === undefined || partitionOf(rawIdOf(subject), partitions) !== partition) return null;
    const fresh = { subject, key: `${tenant.name}:${subject}` };
    subjects.add(bytes, from, to, fresh);
    return fresh;
  }

  return {
    width: properties.names.length,
    decode(record, columns, row, used) {
      const { bytes } = record;
      const start = jsonStart(bytes, record.from, record.to);
      if (!readEnvelope(bytes, start, record.to, envelope, properties, columns, row)) return null;
      const tenant = tenants.find(
        bytes,
        texts[textField.tenant] as number,
        texts[textField.tenant + 1] as number,
      );
      const type = typeAt(bytes, texts[textField.type] as number, texts[textField.type + 1] as number);
      if (tenant === null || type === 'special' || envelope.time < earliestTime) return null;
      const subject = subjectAt(tenant, bytes);
      if (subject === null || !fits(type.checks, columns, row)) return null;
      scanned.idFrom = texts[textField.id] as number;
      scanned.idTo = texts[textField.id + 1] as number;
      scanned.sessionFrom = texts[textField.session] as number;
      scanned.sessionTo = texts[textField.session + 1] as number;
      scanned.visitorFrom = texts[textField.anonymousId] as number;
      scanned.visitorTo = texts[textField.anonymousId + 1] as number;
      scanned.sourceFrom = texts[textField.source] as number;
      scanned.sourceTo = texts[textField.source + 1] as number;
      scanned.propertiesFrom = envelope.propertiesFrom;
      scanned.propertiesTo = envelope.propertiesTo;
      hashAscii(bytes, scanned.idFrom, scanned.idTo);
      scanned.idHigh = hashed.high;
      scanned.idLow = hashed.low;
      decoded.tenant = tenant.name;
      decoded.type = type.name;
      decoded.subject = subject.subject;
      decoded.key = subject.key;
      decoded.time = envelope.time;
      const item = used === undefined ? new Item(record, decoded, null) : used.become(record, decoded);
      return item.scannedAs(scanned, columns, row);
    },
  };
}

const absent = (1 << ValueKind.absent) | (1 << ValueKind.null);

function fittingOf(expected: 'string' | 'number' | 'boolean' | 'list' | 'object'): number {
  switch (expected) {
    case 'string':
      return 1 << ValueKind.text;
    case 'number':
      return 1 << ValueKind.number;
    case 'boolean':
      return (1 << ValueKind.true) | (1 << ValueKind.false);
    case 'list':
      return 1 << ValueKind.list;
    case 'object':
      return 1 << ValueKind.object;
  }
}

/** Whether all declared properties are as declared; a number like 1e999 is none. */
function fits(checks: readonly Check[], columns: Columns, row: number): boolean {
  const { kinds, numbers } = columns;
  const first = row * columns.width;
  for (let i = 0; i < checks.length; i++) {
    const { column, fitting } = checks[i] as Check;
    const kind = kinds[first + column] as number;
    if (((fitting >> kind) & 1) === 0) return false;
    if (kind === ValueKind.number && !Number.isFinite(numbers[first + column])) return false;
  }
  return true;
}
