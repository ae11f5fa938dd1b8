import { isSimulated, type SubjectId } from '../core/index.ts';
import { type StoredEvent, storedEvent } from '../schemas/index.ts';
import { type Columns, ValueKind } from './decode/columns.ts';
import type { FeatureEvent, PropertyValues, SubjectState } from './features/port.ts';
import type { Arrival } from './identity/records.ts';
import type { LogRecord } from './log/port.ts';
import { jsonText } from './schemas/framing.ts';

/** What a decoder tells of a record that is an event; texts that many events share are shared texts. */
export interface Decoded {
  readonly tenant: string;
  readonly type: string;
  readonly subject: SubjectId;
  /** Key of the subject's blob: `<tenant>:<subject>`. */
  readonly key: string;
  /** Event time as the producer stated it. */
  readonly time: number;
}

/** Where the scanner found what is made into text only when someone asks. Byte positions in the record's buffer. */
export interface Scanned {
  readonly idFrom: number;
  readonly idTo: number;
  /** Hash of the id (features/parts/hash.ts). */
  readonly idHigh: number;
  readonly idLow: number;
  /** 0 and 0: none. */
  readonly sessionFrom: number;
  readonly sessionTo: number;
  /** 0 and 0: none. */
  readonly visitorFrom: number;
  readonly visitorTo: number;
  readonly sourceFrom: number;
  readonly sourceTo: number;
  /** The object of properties, with its braces. */
  readonly propertiesFrom: number;
  readonly propertiesTo: number;
}

const noRecord: LogRecord = {
  offset: -1,
  appendedAt: 0,
  bytes: Buffer.alloc(0),
  from: 0,
  to: 0,
  key: '',
  value: Buffer.alloc(0),
};

/**
 * One record on its way through the steps. `tenant`, `type`, `subject`, `key`, `time` and the values of properties that
 * features read cost nothing. `event` and `properties` may parse the record or a part of it, other texts are made, so a step
 * that sees every record must not touch them. An item is used again for another record when its batch is over.
 */
export class Item implements FeatureEvent, PropertyValues {
  record: LogRecord;
  tenant: string;
  type: string;
  subject: SubjectId;
  key: string;
  /** Event time as the producer stated it. */
  statedTime: number;
  /** Event time, never after the append time. */
  time: number;
  /** Behind the watermark by more than the type's allowed lateness. */
  isLate = false;
  /** Not null: the record brought the event from the partition of its anonymous id. */
  arrival: Arrival | null = null;
  /** Its subject's, as long as no step has put another in its place; null: an event of the engine. */
  state: SubjectState | null = null;
  idHigh = 0;
  idLow = 0;
  /** Whether `idHigh` and `idLow` are known. */
  isIdHashed = false;
  #event: StoredEvent | null;
  #idFrom = 0;
  #idTo = 0;
  #sessionFrom = 0;
  #sessionTo = 0;
  #visitorFrom = 0;
  #visitorTo = 0;
  #sourceFrom = 0;
  #sourceTo = 0;
  #propertiesFrom = 0;
  /** 0: they were not scanned. */
  #propertiesTo = 0;
  #properties: StoredEvent['properties'] | null = null;
  #columns: Columns | null = null;
  #row = 0;

  /** `event`: the whole event, if it was parsed. */
  constructor(record: LogRecord, decoded: Decoded, event: StoredEvent | null) {
    this.record = record;
    this.tenant = decoded.tenant;
    this.type = decoded.type;
    this.subject = decoded.subject;
    this.key = decoded.key;
    this.statedTime = decoded.time;
    this.time = decoded.time;
    this.#event = event;
  }

  /** Used again, for another record that was not parsed. */
  become(record: LogRecord, decoded: Decoded): this {
    this.record = record;
    this.tenant = decoded.tenant;
    this.type = decoded.type;
    this.subject = decoded.subject;
    this.key = decoded.key;
    this.statedTime = decoded.time;
    this.time = decoded.time;
    this.isLate = false;
    this.arrival = null;
    this.state = null;
    this.#event = null;
    this.#properties = null;
    return this;
  }

  /** Lets go of what belongs to its record, until it becomes another. */
  forget(): void {
    this.record = noRecord;
    this.state = null;
    this.#event = null;
    this.#properties = null;
  }

  /** Tells where a scanned record's parts are. */
  scannedAs(scanned: Scanned, columns: Columns, row: number): this {
    this.idHigh = scanned.idHigh;
    this.idLow = scanned.idLow;
    this.isIdHashed = true;
    this.#idFrom = scanned.idFrom;
    this.#idTo = scanned.idTo;
    this.#sessionFrom = scanned.sessionFrom;
    this.#sessionTo = scanned.sessionTo;
    this.#visitorFrom = scanned.visitorFrom;
    this.#visitorTo = scanned.visitorTo;
    this.#sourceFrom = scanned.sourceFrom;
    this.#sourceTo = scanned.sourceTo;
    this.#propertiesFrom = scanned.propertiesFrom;
    this.#propertiesTo = scanned.propertiesTo;
    this.#columns = columns;
    this.#row = row;
    return this;
  }

  /** The whole event. Parsed when first asked for. */
  get event(): StoredEvent {
    this.#event ??= storedEvent.parse(JSON.parse(jsonText(this.record)));
    return this.#event;
  }

  /** Of a scanned record only these are parsed: the scanner has looked at them already. */
  get properties(): StoredEvent['properties'] {
    if (this.#event !== null || this.#propertiesTo === 0) return this.event.properties;
    this.#properties ??= JSON.parse(
      this.record.bytes.toString('utf8', this.#propertiesFrom, this.#propertiesTo),
    ) as StoredEvent['properties'];
    return this.#properties;
  }

  get source(): string {
    if (this.#event !== null) return this.#event.source;
    return this.record.bytes.toString('latin1', this.#sourceFrom, this.#sourceTo);
  }

  /** Whether a simulated visitor made it. */
  get isSimulated(): boolean {
    return isSimulated({ source: this.source, anonymousId: this.anonymousId ?? undefined });
  }

  get id(): string {
    if (this.#event !== null) return this.#event.id;
    return this.record.bytes.toString('latin1', this.#idFrom, this.#idTo);
  }

  get session(): string | null {
    if (this.#event !== null) return this.#event.session ?? null;
    if (this.#sessionTo === 0) return null;
    return this.record.bytes.toString('latin1', this.#sessionFrom, this.#sessionTo);
  }

  get anonymousId(): string | null {
    if (this.#event !== null) return this.#event.anonymousId ?? null;
    if (this.#visitorTo === 0) return null;
    return this.record.bytes.toString('latin1', this.#visitorFrom, this.#visitorTo);
  }

  get values(): PropertyValues | null {
    return this.#columns === null ? null : this;
  }

  numberOf(column: number): number {
    const columns = this.#columns;
    if (columns === null) return Number.NaN;
    const at = this.#row * columns.width + column;
    return columns.kinds[at] === ValueKind.number ? (columns.numbers[at] ?? Number.NaN) : Number.NaN;
  }

  textOf(column: number): string | null {
    const columns = this.#columns;
    if (columns === null) return null;
    const at = this.#row * columns.width + column;
    switch (columns.kinds[at]) {
      case ValueKind.text:
        return this.record.bytes.toString('latin1', columns.from[at], columns.to[at]);
      case ValueKind.number:
        return Number.isFinite(columns.numbers[at]) ? String(columns.numbers[at]) : null;
      case ValueKind.true:
        return 'true';
      case ValueKind.false:
        return 'false';
      default:
        return null;
    }
  }
}
