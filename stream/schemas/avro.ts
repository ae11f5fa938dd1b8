import avro, { type Schema, type Type } from 'avsc';

// A CommonJS module, whose names Node can't see from outside.
const { types } = avro;

/** Reads the bytes of one value; throws on bytes that are not of the schema, or on some left over. */
export type AvroReader = (bytes: Buffer) => unknown;

/**
 * A reader of Avro values as plain JSON: timestamps and times in milliseconds, dates as YYYY-MM-DD, decimals as the
 * nearest number, bytes as base64, longs beyond 2^53 as text. Throws on a schema that is none.
 */
export function avroReader(schema: string, references: ReadonlyMap<string, string>): AvroReader {
  const registry: Record<string, Type> = {};
  const options = { logicalTypes, registry, wrapUnions: true };
  // A reference is known by its full name once it has been read; they stand in no particular order.
  let waiting = [...references.values()];
  while (waiting.length > 0) {
    const failed: string[] = [];
    for (const text of waiting) {
      try {
        typeOf(text, options);
      } catch {
        failed.push(text);
      }
    }
    if (failed.length === waiting.length) break;
    waiting = failed;
  }
  const type = typeOf(schema, options);
  const toPlain = plainOf(type, new Map());
  return (bytes) => toPlain(type.fromBuffer(bytes));
}

function typeOf(text: string, options: { registry: Record<string, Type> }): Type {
  return avro.Type.forSchema(
    JSON.parse(text) as Schema,
    {
      ...options,
      typeHook: (found) => (found === 'long' ? exactLong : undefined),
    } as Parameters<typeof avro.Type.forSchema>[1],
  );
}

/** avsc refuses longs that a double can't hold; as text they are kept. */
const exactLong = types.LongType.__with({
  fromBuffer: (bytes: Buffer) => {
    const long = bytes.readBigInt64LE();
    const number = Number(long);
    return Number.isSafeInteger(number) ? number : String(long);
  },
  toBuffer: (long: number | string) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(long));
    return bytes;
  },
  fromJSON: (value: unknown) => value,
  toJSON: (value: unknown) => value,
  isValid: (value: unknown) => typeof value === 'string' || Number.isSafeInteger(value),
  compare: (a: number, b: number) => Number(a) - Number(b),
} as never);

/** Reading is all that we do with these. */
abstract class ReadOnly extends types.LogicalType {
  protected override _toValue(): never {
    throw new Error('values are only read');
  }
}
class Milliseconds extends ReadOnly {
  protected override _fromValue(value: number): number {
    return Number(value);
  }
}
class Microseconds extends ReadOnly {
  protected override _fromValue(value: number): number {
    return Number(value) / 1_000;
  }
}
class CalendarDate extends ReadOnly {
  protected override _fromValue(days: number): string {
    return new Date(days * 86_400_000).toISOString().slice(0, 10);
  }
}
class Decimal extends ReadOnly {
  readonly #scale: number;
  constructor(schema: Schema, options?: unknown) {
    super(schema, options as never);
    const scale = typeof schema === 'object' ? Reflect.get(schema, 'scale') : undefined;
    this.#scale = typeof scale === 'number' ? scale : 0;
  }
  /** Two's complement, big-endian, times ten to the minus scale. Read as decimal text, so that 0.1 is 0.1. */
  protected override _fromValue(bytes: Buffer): number {
    const unscaled =
      bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
    return Number(`${unscaled}e-${this.#scale}`);
  }
}
const logicalTypes = {
  'timestamp-millis': Milliseconds,
  'timestamp-micros': Microseconds,
  'local-timestamp-millis': Milliseconds,
  'local-timestamp-micros': Microseconds,
  'time-millis': Milliseconds,
  'time-micros': Microseconds,
  date: CalendarDate,
  decimal: Decimal,
} as never;

type ToPlain = (value: never) => unknown;

/** How avsc's values of a type become plain JSON; a recursive type finds itself in `known`. */
function plainOf(type: Type, known: Map<Type, ToPlain>): (value: unknown) => unknown {
  const before = known.get(type);
  if (before !== undefined) return before as (value: unknown) => unknown;
  const later: { plain: (value: unknown) => unknown } = { plain: asItIs };
  known.set(type, ((value: unknown) => later.plain(value)) as ToPlain);
  later.plain = make(type, known);
  return later.plain;
}

function make(type: Type, known: Map<Type, ToPlain>): (value: unknown) => unknown {
  if (type instanceof types.LogicalType) return asItIs;
  if (type instanceof types.RecordType) {
    const fields = type.fields.map((field) => [field.name, plainOf(field.type, known)] as const);
    return (value) =>
      Object.fromEntries(
        fields.map(([name, toPlain]) => [name, toPlain(Reflect.get(value as object, name))]),
      );
  }
  if (type instanceof types.ArrayType) {
    const toPlain = plainOf(type.itemsType, known);
    return (value) => (value as unknown[]).map(toPlain);
  }
  if (type instanceof types.MapType) {
    const toPlain = plainOf(type.valuesType, known);
    return (value) =>
      Object.fromEntries(Object.entries(value as object).map(([key, one]) => [key, toPlain(one)]));
  }
  if (type instanceof types.WrappedUnionType) {
    const branches = new Map(type.types.map((branch) => [branch.branchName, plainOf(branch, known)]));
    return (value) => {
      if (value === null) return null;
      const [entry] = Object.entries(value as object);
      return entry === undefined ? null : branches.get(entry[0])?.(entry[1]);
    };
  }
  if (type instanceof types.BytesType || type instanceof types.FixedType) {
    return (value) => Buffer.from(value as Uint8Array).toString('base64');
  }
  return asItIs;
}

const asItIs = (value: unknown): unknown => value;
