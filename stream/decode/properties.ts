import { type Columns, ValueKind } from './columns.ts';
import { endOfPlainText, literalLength, readNumber, skipSpace, skipValue } from './json.ts';
import { Names } from './names.ts';

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;
const underscore = 0x5f;

/** Reads the properties that a workspace uses into columns, and steps over the rest. */
export class PropertyReader {
  /** Columns: first the properties that features read, then those that event types declare. */
  readonly names: readonly string[];
  readonly #names: Names;
  /** Texts of columns before this one are read, others only need to be texts. */
  readonly #textColumns: number;

  constructor(read: readonly string[], declared: readonly string[]) {
    this.names = [...new Set([...read, ...declared])];
    this.#names = new Names(this.names);
    this.#textColumns = read.length;
  }

  /** `at` is behind the opening brace. Returns the position behind the closing one, or -1: not plain. */
  read(bytes: Buffer, at: number, to: number, columns: Columns, row: number): number {
    const { kinds } = columns;
    const first = row * columns.width;
    let i = skipSpace(bytes, at, to);
    if (i < to && bytes[i] === closeBrace) return i + 1;
    for (;;) {
      if (i >= to || bytes[i] !== quote) return -1;
      const nameFrom = i + 1;
      const nameEnd = endOfPlainText(bytes, nameFrom, to);
      // `__proto__` means something else in JavaScript, so that what begins like it is looked at by others.
      if (nameEnd < 0 || (bytes[nameFrom] === underscore && bytes[nameFrom + 1] === underscore)) return -1;
      const column = this.#names.indexOf(bytes, nameFrom, nameEnd);
      i = skipSpace(bytes, nameEnd + 1, to);
      if (i >= to || bytes[i] !== colon) return -1;
      i = skipSpace(bytes, i + 1, to);
      if (column < 0) i = skipValue(bytes, i, to);
      else {
        // Of a name that is there twice JSON.parse takes the last.
        if (kinds[first + column] !== ValueKind.absent) return -1;
        i = this.#readValue(bytes, i, to, columns, first + column, column);
      }
      if (i < 0) return -1;
      i = skipSpace(bytes, i, to);
      if (i >= to) return -1;
      if (bytes[i] === closeBrace) return i + 1;
      if (bytes[i] !== comma) return -1;
      i = skipSpace(bytes, i + 1, to);
    }
  }

  #readValue(bytes: Buffer, at: number, to: number, columns: Columns, index: number, column: number): number {
    if (at >= to) return -1;
    const { kinds } = columns;
    const c = bytes[at] as number;
    if (c === minus || (c >= zero && c <= nine)) {
      kinds[index] = ValueKind.number;
      return readNumber(bytes, at, to, columns.numbers, index);
    }
    if (c === quote) {
      kinds[index] = ValueKind.text;
      if (column >= this.#textColumns) return skipValue(bytes, at, to);
      const end = endOfPlainText(bytes, at + 1, to);
      if (end < 0) return -1;
      columns.from[index] = at + 1;
      columns.to[index] = end;
      return end + 1;
    }
    if (c === openBrace || c === openBracket) {
      kinds[index] = c === openBrace ? ValueKind.object : ValueKind.list;
      return skipValue(bytes, at, to);
    }
    const length = literalLength(bytes, at, to);
    if (length === 0) return -1;
    kinds[index] = c === 0x74 ? ValueKind.true : c === 0x66 ? ValueKind.false : ValueKind.null;
    return at + length;
  }
}
