import type { LogRecord } from './port.ts';

/**
 * A record whose key and value lie in one shared buffer. A Buffer of its own for each value costs more than all the
 * rest of a record.
 */
export class SharedRecord implements LogRecord {
  readonly offset: number;
  readonly appendedAt: number;
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly #keyFrom: number;
  readonly #keyTo: number;

  constructor(
    offset: number,
    appendedAt: number,
    bytes: Buffer,
    keyFrom: number,
    keyTo: number,
    from: number,
    to: number,
  ) {
    this.offset = offset;
    this.appendedAt = appendedAt;
    this.bytes = bytes;
    this.#keyFrom = keyFrom;
    this.#keyTo = keyTo;
    this.from = from;
    this.to = to;
  }

  /** The same record at another offset. */
  at(offset: number): SharedRecord {
    return new SharedRecord(
      offset,
      this.appendedAt,
      this.bytes,
      this.#keyFrom,
      this.#keyTo,
      this.from,
      this.to,
    );
  }

  get key(): string {
    return this.bytes.toString('utf8', this.#keyFrom, this.#keyTo);
  }

  get value(): Buffer {
    return this.bytes.subarray(this.from, this.to);
  }
}

/** A record of its own bytes. */
export function recordOf(offset: number, appendedAt: number, key: string, value: Uint8Array): LogRecord {
  const keyBytes = Buffer.byteLength(key);
  const bytes = Buffer.allocUnsafe(keyBytes + value.length);
  bytes.write(key);
  bytes.set(value, keyBytes);
  return new SharedRecord(offset, appendedAt, bytes, 0, keyBytes, keyBytes, bytes.length);
}
