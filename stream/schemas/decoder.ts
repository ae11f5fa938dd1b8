import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Clock, messageOf } from '../../core/index.ts';
import { avroReader } from './avro.ts';
import { isFramed, payloadOf, schemaIdOf, withoutMark } from './framing.ts';
import type { RegisteredSchema, SchemaRegistry } from './registry.ts';

/** Where a value was read, for messages. */
export interface Coordinates {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number | string;
}

export type Decoded =
  | {
      readonly ok: true;
      readonly value: unknown /** null: it was not framed. */;
      readonly schemaId: number | null;
    }
  | {
      readonly ok: false;
      /** `not_framed`, `not_json`, `unknown_schema`, `schema_not_learned`, `schema_unusable`, `invalid_value`. */
      readonly code: string;
      readonly message: string;
      /** Whether the same bytes can be decoded later. */
      readonly retriable: boolean;
    };

export interface RecordDecoder {
  /** Ids among these values that `learn` has to be called with before they are decoded; usually none. */
  unlearned(values: Iterable<Uint8Array>): readonly number[];
  /**
   * Fetches schemas that are not known yet. Throws PresageError `registry_unavailable` (retriable) when the registry
   * does not answer; an id that it does not have is remembered as such for a while.
   */
  learn(ids: Iterable<number>): Promise<void>;
  /** Bytes -> plain JSON, at once: no promise for each message. Never throws. */
  decode(bytes: Uint8Array, at?: Coordinates): Decoded;
}

export interface DecoderOptions {
  /** null: no registry; only plain JSON can be decoded. */
  readonly registry: SchemaRegistry | null;
  readonly clock: Clock;
  /** `any`: framed or plain JSON, told apart by the first byte. `framed`, `json`: anything else is refused. */
  readonly format?: 'any' | 'framed' | 'json';
  /** Schemas kept, the oldest first out; a batch that needs more keeps its own. Default 1000. */
  readonly capacity?: number;
}

type Reader = (bytes: Buffer) => unknown;
type Known =
  | { readonly read: Reader }
  | { readonly code: string; readonly why: string; readonly until: number };

/** For so long an id that the registry does not have is not asked for again. */
const missingForMs = 30_000;
/** Requests to the registry at the same time. */
const atOnce = 4;

/** Decodes values of Kafka topics: Confluent's framing with JSON or Avro behind it, or plain JSON. */
export function recordDecoder(options: DecoderOptions): RecordDecoder {
  const { registry, clock, format = 'any', capacity = 1_000 } = options;
  const known = new Map<number, Known>();

  const isKnown = (id: number): boolean => {
    const found = known.get(id);
    return found !== undefined && ('read' in found || found.until > clock.now());
  };
  function remember(id: number, what: Known): void {
    known.delete(id);
    known.set(id, what);
  }
  /** Makes room before learning, so that a batch never drops what it needs itself. */
  function makeRoom(needed: ReadonlySet<number>, coming: number): void {
    for (const id of known.keys()) {
      if (known.size + coming <= capacity) return;
      if (!needed.has(id)) known.delete(id);
    }
  }
  async function fetchOne(id: number): Promise<void> {
    const schema = registry === null ? null : await registry.schemaById(id);
    if (schema === null) {
      const why = registry === null ? 'no schema registry is configured' : 'the registry has no such schema';
      remember(id, { code: 'unknown_schema', why, until: clock.now() + missingForMs });
      return;
    }
    try {
      remember(id, { read: readerOf(schema) });
    } catch (error) {
      const why = `it can't be used: ${messageOf(error)}`;
      remember(id, { code: 'schema_unusable', why, until: clock.now() + missingForMs });
    }
  }

  return {
    unlearned(values) {
      const ids = new Set<number>();
      if (format === 'json') return [];
      for (const bytes of values) {
        const id = schemaIdOf(bytes);
        if (id !== null && !isKnown(id)) ids.add(id);
      }
      return [...ids];
    },
    async learn(ids) {
      const needed = new Set(ids);
      const missing = [...needed].filter((id) => !isKnown(id));
      makeRoom(needed, missing.length);
      for (let from = 0; from < missing.length; from += atOnce) {
        await Promise.all(missing.slice(from, from + atOnce).map(fetchOne));
      }
    },
    decode(bytes, at) {
      const refuse = (code: string, message: string, retriable = false): Decoded => ({
        ok: false,
        code,
        message: at === undefined ? message : `${at.topic}[${at.partition}]@${at.offset}: ${message}`,
        retriable,
      });
      if (format === 'json' || (format === 'any' && !isFramed(bytes))) {
        if (bytes.length === 0) return refuse('not_json', 'The value is empty (a tombstone), not JSON.');
        try {
          return { ok: true, value: parse(asBuffer(bytes)), schemaId: null };
        } catch (error) {
          return refuse(
            'not_json',
            `The value is ${format === 'json' ? 'not' : 'neither framed nor'} JSON: ${messageOf(error)}`,
          );
        }
      }
      const id = schemaIdOf(bytes);
      if (id === null) {
        const found =
          bytes.length === 0 ? 'nothing' : bytes.length < 5 ? `${bytes.length} bytes` : `byte ${bytes[0]}`;
        return refuse(
          'not_framed',
          `Expected a zero byte and a schema id (Confluent's format) but found ${found}.`,
        );
      }
      const schema = known.get(id);
      if (schema === undefined)
        return refuse('schema_not_learned', `Schema ${id} has not been fetched yet.`, true);
      if (!('read' in schema)) return refuse(schema.code, `Schema ${id}: ${schema.why}.`);
      try {
        return { ok: true, value: schema.read(asBuffer(payloadOf(bytes))), schemaId: id };
      } catch (error) {
        return refuse('invalid_value', `The value is not of schema ${id}: ${messageOf(error)}`);
      }
    },
  };
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
const parse = (bytes: Buffer): unknown => JSON.parse(withoutMark(bytes.toString('utf8')));

function readerOf({ type, text, references }: RegisteredSchema): Reader {
  switch (type) {
    case 'JSON': {
      const validate = validatorOf(text, references);
      return (bytes) => {
        const value = parse(bytes);
        if (validate(value)) return value;
        const [first] = validate.errors ?? [];
        throw new Error(`${first?.instancePath || 'value'} ${first?.message}`);
      };
    }
    case 'AVRO':
      return avroReader(text, references);
    case 'PROTOBUF':
      throw new Error('Protobuf is not read; JSON Schema and Avro are');
  }
}

/** Compiled once for each schema. Formats are annotations, and keywords that are not known are left alone. */
function validatorOf(text: string, references: ReadonlyMap<string, string>): ValidateFunction {
  const schema = JSON.parse(text) as object | boolean;
  const is2020 =
    typeof schema === 'object' && /2020-12|2019-09/.test(String(Reflect.get(schema, '$schema') ?? ''));
  const settings = {
    strict: false,
    validateFormats: false,
    validateSchema: false,
    addUsedSchema: false,
    logger: false,
  } as const;
  const ajv = is2020 ? new Ajv2020(settings) : new Ajv(settings);
  for (const [name, referred] of references) ajv.addSchema(JSON.parse(referred) as object, name);
  return ajv.compile(schema);
}
