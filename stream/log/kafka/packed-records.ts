import type { LogRecord } from '../port.ts';
import { SharedRecord } from '../record.ts';
import type { RecordSink } from './record-batches.ts';

/** Records that were fetched, in order; an array of them is such. */
export interface Fetched {
  readonly length: number;
  at(index: number): LogRecord | undefined;
}

/** Of one record: offset, append time, the number of its buffer, begin and end of key and value. */
const width = 7;

/**
 * Fetched records as numbers, made into objects when they are read: of the many thousands that wait in queues, objects
 * would be copied by the garbage collector until they are old.
 */
export class PackedRecords implements Fetched, RecordSink {
  length = 0;
  readonly #buffers: Buffer[] = [];
  #numbers: Float64Array;

  constructor(expected: number) {
    this.#numbers = new Float64Array(Math.max(16, expected) * width);
  }

  add(
    offset: number,
    appendedAt: number,
    bytes: Buffer,
    keyFrom: number,
    keyTo: number,
    from: number,
    to: number,
  ): void {
    const at = this.length * width;
    if (at === this.#numbers.length) {
      const larger = new Float64Array(at * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    if (this.#buffers[this.#buffers.length - 1] !== bytes) this.#buffers.push(bytes);
    const numbers = this.#numbers;
    numbers[at] = offset;
    numbers[at + 1] = appendedAt;
    numbers[at + 2] = this.#buffers.length - 1;
    numbers[at + 3] = keyFrom;
    numbers[at + 4] = keyTo;
    numbers[at + 5] = from;
    numbers[at + 6] = to;
    this.length += 1;
  }

  at(index: number): LogRecord | undefined {
    if (index < 0 || index >= this.length) return undefined;
    const numbers = this.#numbers;
    const at = index * width;
    return new SharedRecord(
      numbers[at] as number,
      numbers[at + 1] as number,
      this.#buffers[numbers[at + 2] as number] as Buffer,
      numbers[at + 3] as number,
      numbers[at + 4] as number,
      numbers[at + 5] as number,
      numbers[at + 6] as number,
    );
  }
}
