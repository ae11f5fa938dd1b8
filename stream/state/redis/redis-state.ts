import type { Clock } from '../../../core/index.ts';
import type { Resolution } from '../../../schemas/index.ts';
import {
  BlockingReads,
  type CallOptions,
  functionLibrary,
  idOf,
  isTransient,
  RedisCaller,
  type RedisConnector,
  type StreamEntry,
  streamRange,
} from '../../redis/index.ts';
import { checkCommit, checkRequest, checkTakes } from '../limits.ts';
import { outboxLost } from '../memory-state.ts';
import type { Commit, CommitOutcome, PartitionHead, StateStore, StoredOutboxEntry } from '../port.ts';
import { layoutsKey, type StateKeys, stateKeys } from './keys.ts';
import { packCommit, packRequest, packTakes } from './pack.ts';

export interface RedisStateOptions {
  readonly connector: RedisConnector;
  /** The log's version: names the keys, `{events.v1:3}:head`. */
  readonly version: number;
  readonly clock: Clock;
  /** How long a call keeps trying before it throws `state_unavailable`; default 10 s. */
  readonly patienceMs?: number;
  /** How long one command may take before its connection is given up; default 5 s. */
  readonly commandTimeoutMs?: number;
}

const library = functionLibrary({
  name: 'state',
  files: [
    '../../redis/keys.lua',
    './caps.lua',
    './commit.lua',
    './request.lua',
    './caps_used.lua',
    './save_reader.lua',
  ].map((file) => new URL(file, import.meta.url)),
  functions: {
    commit: ['allow-oom'],
    request: [],
    caps_used: ['no-writes'],
    save_reader: ['allow-oom'],
  },
});

/** State in Redis: the functions of this folder's Lua files, one connection for commands, and one per waiting reader. */
export function redisState(options: RedisStateOptions): StateStore {
  const caller = new RedisCaller({
    connector: options.connector,
    name: 'state',
    clock: options.clock,
    patienceMs: options.patienceMs ?? 10_000,
    commandTimeoutMs: options.commandTimeoutMs ?? 5_000,
  });
  const waits = new BlockingReads(options.connector, 'outbox', options.clock);
  const keys = new Map<number, StateKeys>();
  const commits = new Map<number, Promise<unknown>>();

  const keysOf = (partition: number): StateKeys => {
    let found = keys.get(partition);
    if (found === undefined) {
      found = stateKeys(options.version, partition);
      keys.set(partition, found);
    }
    return found;
  };
  const repeatable = (what: string): CallOptions => ({
    what,
    repeatable: true,
    loadFunctions: library.load,
  });
  const invoke = (name: string, on: readonly string[], args: readonly (string | Buffer)[], what: string) =>
    caller.call(
      (redis) => redis.fcall(library.functionName(name), on.length, ...on, ...args),
      repeatable(what),
    );
  const range = (partition: number) =>
    caller.call(
      (redis) => streamRange(redis, keysOf(partition).outbox),
      repeatable(`read the outbox of partition ${partition}`),
    );

  async function send(partition: number, packed: Buffer): Promise<CommitOutcome> {
    const { head, commits, outbox, partition: own } = keysOf(partition);
    const reply = await invoke(
      'commit',
      [head, commits, outbox, own],
      [packed],
      `commit partition ${partition}`,
    );
    return commitOutcomeOf(reply);
  }

  /** A commit sent behind one that is not settled may be fenced only because the first has to be sent again. */
  async function commitAfter(
    before: Promise<unknown> | undefined,
    partition: number,
    packed: Buffer,
  ): Promise<CommitOutcome> {
    const outcome = await send(partition, packed);
    if (outcome.kind === 'committed' || before === undefined) return outcome;
    await before;
    return send(partition, packed);
  }

  return {
    async head(partition) {
      const fields = await caller.call(
        (redis) => redis.hmget(keysOf(partition).head, 'position', 'commit', 'sequence'),
        repeatable(`read the head of partition ${partition}`),
      );
      return headOf(fields);
    },
    partitionState: (partition) =>
      caller.call(
        (redis) => redis.getBuffer(keysOf(partition).partition),
        repeatable(`read partition ${partition}`),
      ),
    async load(partition, subjects) {
      if (subjects.length === 0) return [];
      const { statePrefix } = keysOf(partition);
      return caller.call(
        (redis) => redis.mgetBuffer(subjects.map((subject) => statePrefix + subject)),
        repeatable(`load ${subjects.length} subjects of partition ${partition}`),
      );
    },
    async commit(partition, commit: Commit) {
      checkCommit(partition, commit);
      const packed = packCommit(keysOf(partition), commit);
      const outcome = commitAfter(commits.get(partition), partition, packed);
      const settled = outcome
        .catch(() => {})
        .finally(() => {
          if (commits.get(partition) === settled) commits.delete(partition);
        });
      commits.set(partition, settled);
      return outcome;
    },
    async request(partition, request) {
      checkRequest(partition, request);
      const at = keysOf(partition);
      const [kind, first, resolution] = (await invoke(
        'request',
        [
          at.answer(request.tenant, request.idempotencyKey),
          at.outbox,
          at.caps(request.tenant, request.subject),
        ],
        [packRequest(request)],
        `decide in partition ${partition}`,
      )) as [string, string, string];
      return kind === 'decided'
        ? { kind, offset: Number(first), resolution: JSON.parse(resolution) }
        : { kind: 'repeated', payload: first, resolution: JSON.parse(resolution) };
    },
    async capsUsed(partition, tenant, subject, takes) {
      checkTakes(`question about caps of ${tenant}:${subject}`, takes);
      if (takes.length === 0) return [];
      const on = [keysOf(partition).caps(tenant, subject)];
      return (await invoke('caps_used', on, [packTakes(takes)], `read caps of ${subject}`)) as number[];
    },
    async readOutbox(partition, offset, limit, waitMs) {
      const entries = await readOnce(partition, offset, limit, waitMs);
      const first = entries[0];
      if (first?.offset === offset) return entries.map(outboxEntryOf);
      const kept = await range(partition);
      if (first !== undefined || offset < kept.start || offset > kept.end)
        throw outboxLost(partition, offset, kept);
      return [];
    },
    outboxRange: range,
    async trimOutbox(partition, offset) {
      await caller.call(
        (redis) => redis.xtrim(keysOf(partition).outbox, 'MINID', idOf(offset)),
        repeatable(`trim the outbox of partition ${partition}`),
      );
    },
    readerState: (partition, reader) =>
      caller.call(
        (redis) => redis.hget(keysOf(partition).readers, reader),
        repeatable(`read the position of ${reader} in partition ${partition}`),
      ),
    async saveReaderState(partition, reader, state) {
      const what = `save the position of ${reader} in partition ${partition}`;
      await invoke('save_reader', [keysOf(partition).readers], [reader, state], what);
    },
    async saveLayout(id, description) {
      await invoke('save_reader', [layoutsKey], [String(id), description], 'save a blob layout');
    },
    async layouts() {
      const all = await caller.call((redis) => redis.hgetall(layoutsKey), repeatable('read blob layouts'));
      return Object.entries(all)
        .sort(([a], [b]) => Number(a) - Number(b))
        .map(([, description]) => description);
    },
    async close() {
      waits.close();
      caller.close();
    },
  };

  async function readOnce(
    partition: number,
    offset: number,
    limit: number,
    waitMs: number,
  ): Promise<StreamEntry[]> {
    const what = `read the outbox of partition ${partition}`;
    try {
      return await waits.read(keysOf(partition).outbox, offset, limit, waitMs);
    } catch (error) {
      if (isTransient(error)) throw caller.unavailable(what, error);
      throw error;
    }
  }
}

function headOf(fields: readonly (string | null)[]): PartitionHead {
  const [position, commitId, sequence] = fields;
  return { position: Number(position ?? 0), commitId: commitId ?? '', sequence: Number(sequence ?? 0) };
}

function commitOutcomeOf(reply: unknown): CommitOutcome {
  const [kind, ...rest] = reply as string[];
  if (kind !== 'committed') {
    const [position, commitId, sequence] = rest;
    return { kind: 'fenced', head: headOf([position ?? null, commitId ?? null, sequence ?? null]) };
  }
  const [sequence, resolutions] = rest;
  return {
    kind,
    sequence: Number(sequence),
    resolutions: JSON.parse(resolutions ?? '[]') as Resolution[],
  };
}

function outboxEntryOf({ offset, fields }: StreamEntry): StoredOutboxEntry {
  const [, kind, , payload, , resolution] = fields;
  return {
    offset,
    kind: String(kind) as StoredOutboxEntry['kind'],
    payload: String(payload),
    resolution: resolution === undefined ? null : (JSON.parse(String(resolution)) as Resolution),
  };
}
