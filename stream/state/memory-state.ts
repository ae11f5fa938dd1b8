import { type Clock, PresageError } from '../../core/index.ts';
import type { CapTake, Resolution } from '../../schemas/index.ts';
import {
  capsEnd,
  capUsed,
  type HeldLeases,
  isEmpty,
  markCap,
  noCaps,
  packCaps,
  resolveChoices,
  type SubjectCaps,
  unionCaps,
  unpackCaps,
} from './caps.ts';
import { makeLeasing } from './leases/leasing.ts';
import { memoryLeases } from './leases/memory.ts';
import { checkCommit, checkRequest, checkTakes, limits } from './limits.ts';
import { outboxLost } from './outbox-lost.ts';
import {
  type Commit,
  type CommitOutcome,
  movedMark,
  type PartitionHead,
  type RequestCommit,
  type RequestOutcome,
  type StateStore,
  type StoredOutboxEntry,
} from './port.ts';

/** What commits extend: the partition's own, or a shadow's. */
interface Chain {
  head: PartitionHead;
  recent: { readonly id: string; readonly sequence: number; readonly resolutions: readonly Resolution[] }[];
  partitionState: Buffer | null;
}

interface Generation {
  readonly blobs: Map<string, Buffer>;
  /** Earliest due by subject's key. */
  readonly timers: Map<string, number>;
}

interface PartitionMemory extends Chain {
  readonly generations: Map<number, Generation>;
  readonly shadows: Map<number, Chain>;
  readonly caps: Map<string, SubjectCaps>;
  readonly answers: Map<string, { payload: string; resolution: Resolution; expiresAt: number }>;
  outboxStart: number;
  outbox: StoredOutboxEntry[];
  readonly readers: Map<string, string>;
  readonly waiting: Set<() => void>;
  /** Settles when the newest commit that waits for a lease may be made. */
  turn: Promise<void> | null;
}

const keptCommits = 8;

/** State in memory, for tests and for trying a workspace: the same answers as Redis, gone with the process. */
export function memoryState(parts: { readonly clock: Clock }): StateStore {
  const partitions = new Map<number, PartitionMemory>();
  const layouts = new Map<number, string>();
  const leases = memoryLeases();
  const leasing = makeLeasing(leases, () => parts.clock.monotonic());
  const held: Held = (partition, tenant) => (cap, bucket) => leases.held(partition, tenant, cap, bucket);
  const of = (partition: number): PartitionMemory => {
    let memory = partitions.get(partition);
    if (memory === undefined) {
      memory = emptyPartition();
      partitions.set(partition, memory);
    }
    return memory;
  };

  return {
    async head(partition) {
      return of(partition).head;
    },
    async partitionState(partition) {
      return of(partition).partitionState;
    },
    async load(partition, keys) {
      return loadFrom(inForce(of(partition)), keys);
    },
    async earliestTimers(partition, tenant, limit) {
      return earliestOf(inForce(of(partition)), tenant, limit);
    },
    async commit(partition, commit) {
      checkCommit(partition, commit);
      const memory = of(partition);
      const lease = leasing.prepare(partition, decisionsIn(commit));
      if (lease === null && memory.turn === null) return makeCommit(memory, memory, partition, commit, held);
      // One that waits for a lease keeps its place before those that come after it.
      const turn = Promise.all([memory.turn, lease]).then(() => {
        if (memory.turn === turn) memory.turn = null;
      });
      memory.turn = turn;
      await turn;
      return makeCommit(memory, memory, partition, commit, held);
    },
    shadow(generation) {
      if (!(Number.isSafeInteger(generation) && generation > 0))
        throw new PresageError('state_invalid', `There is no shadow of generation ${generation}.`);
      const chainOf = (partition: number): Chain => shadowOf(of(partition), generation);
      return {
        head: async (partition) => chainOf(partition).head,
        partitionState: async (partition) => chainOf(partition).partitionState,
        load: async (partition, keys) => loadFrom(generationOf(of(partition), generation), keys),
        earliestTimers: async (partition, tenant, limit) =>
          earliestOf(generationOf(of(partition), generation), tenant, limit),
        async commit(partition, commit) {
          checkCommit(partition, commit);
          return makeCommit(of(partition), chainOf(partition), partition, { ...commit, generation }, held);
        },
      };
    },
    async forgetGeneration(partition, generation) {
      const memory = of(partition);
      if (memory.head.generation === generation)
        throw new PresageError(
          'state_invalid',
          `Generation ${generation} of partition ${partition} is in force and was not deleted.`,
        );
      memory.generations.delete(generation);
      memory.shadows.delete(generation);
    },
    async request(partition, request) {
      checkRequest(partition, request);
      await leasing.prepare(partition, [request]);
      return makeRequest(of(partition), request, parts.clock.now(), held(partition, request.tenant));
    },
    async capsUsed(partition, tenant, subject, takes) {
      checkTakes(`question about caps of ${tenant}:${subject}`, takes, limits.takesAsked);
      const caps = of(partition).caps.get(`${tenant}:${subject}`) ?? noCaps();
      return takes.map((take: CapTake) =>
        take.lease === undefined
          ? capUsed(caps, take)
          : leases.held(partition, tenant, take.cap, take.lease.bucket).used,
      );
    },
    async readOutbox(partition, offset, limit, waitMs, after) {
      const memory = of(partition);
      const before = memory.outbox[offset - 1 - memory.outboxStart];
      if (after && before !== undefined && before.mark !== after)
        throw outboxLost(partition, offset, { start: memory.outboxStart, end: outboxEnd(memory) });
      if (offset >= memory.outboxStart && offset === outboxEnd(memory) && waitMs > 0)
        await nextPublication(memory, waitMs);
      const end = outboxEnd(memory);
      if (offset < memory.outboxStart || offset > end)
        throw outboxLost(partition, offset, { start: memory.outboxStart, end });
      const from = offset - memory.outboxStart;
      return memory.outbox.slice(from, from + limit);
    },
    async outboxRange(partition) {
      const memory = of(partition);
      return { start: memory.outboxStart, end: outboxEnd(memory) };
    },
    async trimOutbox(partition, offset) {
      const memory = of(partition);
      const gone = Math.min(Math.max(0, offset - memory.outboxStart), memory.outbox.length);
      memory.outbox = memory.outbox.slice(gone);
      memory.outboxStart += gone;
    },
    async readerState(partition, reader) {
      return of(partition).readers.get(reader) ?? null;
    },
    async saveReaderState(partition, reader, state) {
      of(partition).readers.set(reader, state);
    },
    async saveLayout(id, description) {
      layouts.set(id, description);
    },
    async layouts() {
      return [...layouts].sort(([a], [b]) => a - b).map(([, description]) => description);
    },
    async close() {
      for (const memory of partitions.values()) for (const wake of memory.waiting) wake();
    },
  };
}

const emptyChain = (): Chain => ({
  head: { position: 0, commitId: '', sequence: 0, generation: 0 },
  recent: [],
  partitionState: null,
});

const emptyPartition = (): PartitionMemory => ({
  ...emptyChain(),
  generations: new Map(),
  shadows: new Map(),
  caps: new Map(),
  answers: new Map(),
  outboxStart: 0,
  outbox: [],
  readers: new Map(),
  waiting: new Set(),
  turn: null,
});

const outboxEnd = (memory: PartitionMemory): number => memory.outboxStart + memory.outbox.length;

function generationOf({ generations }: PartitionMemory, number: number): Generation {
  let generation = generations.get(number);
  if (generation === undefined) {
    generation = { blobs: new Map(), timers: new Map() };
    generations.set(number, generation);
  }
  return generation;
}

const inForce = (memory: PartitionMemory): Generation => generationOf(memory, memory.head.generation);

function shadowOf({ shadows }: PartitionMemory, generation: number): Chain {
  let chain = shadows.get(generation);
  if (chain === undefined) {
    chain = emptyChain();
    shadows.set(generation, chain);
  }
  return chain;
}

const loadFrom = ({ blobs }: Generation, keys: readonly string[]): (Buffer | null)[] =>
  keys.map((key) => blobs.get(key) ?? null);

const earliestOf = ({ timers }: Generation, tenant: string, limit: number): [string, number][] =>
  [...timers]
    .filter(([key]) => key.startsWith(`${tenant}:`))
    .sort((a, b) => a[1] - b[1] || Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])))
    .slice(0, limit);

function isCurrent(memory: PartitionMemory, chain: Chain, generation: number): boolean {
  const current = memory.head.generation;
  return chain === memory ? generation === current : generation > current;
}

type Held = (partition: number, tenant: string) => HeldLeases;

const decisionsIn = ({ outbox }: Commit) => outbox.filter((item) => item.kind === 'decision');

function makeCommit(
  memory: PartitionMemory,
  chain: Chain,
  partition: number,
  commit: Commit,
  held: Held,
): CommitOutcome {
  const { generation = 0, activate } = commit;
  if (commit.previous !== chain.head.commitId || !isCurrent(memory, chain, generation)) {
    const before = chain.recent.find(({ id }) => id === commit.id);
    if (before === undefined)
      return { kind: 'fenced', head: { ...chain.head, generation: memory.head.generation } };
    return { kind: 'committed', sequence: before.sequence, resolutions: before.resolutions };
  }
  if (commit.position < chain.head.position && activate === undefined)
    throw positionWentBack(partition, commit, chain.head);
  if (activate !== undefined && shadowOf(memory, activate).head.position !== commit.position)
    throw notReached(partition, commit.position, activate);
  const { blobs } = generationOf(memory, generation);
  for (const [key, blob] of commit.blobs) {
    if (blob === null) blobs.delete(key);
    else blobs.set(key, Buffer.from(blob));
  }
  if (commit.partitionState !== null) chain.partitionState = Buffer.from(commit.partitionState);
  const mark = commit.id;
  const resolutions: Resolution[] = [];
  for (const item of commit.outbox) {
    switch (item.kind) {
      case 'decision': {
        const resolution = resolveChoices(
          capsOf(memory, item.tenant, item.subject),
          item.choices,
          item.slots,
          held(partition, item.tenant),
        );
        resolutions.push(resolution);
        publish(memory, { kind: item.kind, payload: item.payload, resolution, mark });
        break;
      }
      case 'transfer': {
        const caps = packCaps(capsOf(memory, item.tenant, item.subject));
        memory.caps.delete(`${item.tenant}:${item.subject}`);
        publish(memory, { kind: item.kind, payload: item.payload, resolution: null, caps, mark });
        break;
      }
      case 'mark':
        markCap(capsOf(memory, item.tenant, item.subject), item);
        break;
      case 'caps':
        unionCaps(capsOf(memory, item.tenant, item.subject), unpackCaps(item.caps));
        break;
      case 'expire': {
        const key = `${item.tenant}:${item.subject}`;
        if (capsEnd(memory.caps.get(key) ?? noCaps(), item.ttlMs) <= item.at) memory.caps.delete(key);
        break;
      }
      default:
        publish(memory, { kind: item.kind, payload: item.payload, resolution: null, mark });
    }
  }
  moveTimers(memory, commit);
  const sequence = chain.head.sequence + 1;
  chain.recent = [...chain.recent, { id: commit.id, sequence, resolutions }].slice(-keptCommits);
  chain.head = {
    position: commit.position,
    commitId: commit.id,
    sequence,
    generation: activate ?? chain.head.generation,
  };
  return { kind: 'committed', sequence, resolutions };
}

function moveTimers(memory: PartitionMemory, { timers = [], outbox, generation = 0 }: Commit): void {
  const index = generationOf(memory, generation).timers;
  for (const [key, due] of timers) {
    if (due === null) index.delete(key);
    else index.set(key, due);
  }
  for (const item of outbox) {
    if (item.kind !== 'expire' || item.isBack) continue;
    const key = `${item.tenant}:${item.subject}`;
    if (isEmpty(memory.caps.get(key) ?? noCaps())) index.delete(key);
  }
}

const notReached = (partition: number, position: number, generation: number): PresageError =>
  new PresageError(
    'state_refused',
    `Could not commit partition ${partition}: generation ${generation} is not at position ${position}.`,
  );

const positionWentBack = (partition: number, commit: Commit, head: PartitionHead): PresageError =>
  new PresageError(
    'state_refused',
    `Could not commit partition ${partition}: position ${commit.position} is before the committed ${head.position}.`,
  );

function makeRequest(
  memory: PartitionMemory,
  request: RequestCommit,
  now: number,
  held: HeldLeases,
): RequestOutcome {
  for (const [key, answer] of memory.answers) if (answer.expiresAt <= now) memory.answers.delete(key);
  const key = `${request.tenant}:${request.idempotencyKey}`;
  const first = memory.answers.get(key);
  if (first !== undefined) return { kind: 'repeated', payload: first.payload, resolution: first.resolution };
  if (inForce(memory).blobs.get(`${request.tenant}:${request.subject}`)?.[0] === movedMark)
    return { kind: 'moved' };
  const { tenant, subject, choices, slots } = request;
  const resolution = resolveChoices(capsOf(memory, tenant, subject), choices, slots, held);
  remindOfCaps(memory, request, resolution);
  const mark = `request:${key}`;
  const offset = publish(memory, { kind: 'decision', payload: request.payload, resolution, mark });
  memory.answers.set(key, { payload: request.payload, resolution, expiresAt: now + request.keepMs });
  return { kind: 'decided', offset, resolution };
}

/** Nothing else would ever look at caps of someone who only asks: it comes up in the index as a silent subject does. */
function remindOfCaps(
  memory: PartitionMemory,
  { tenant, subject, choices, forgetAt }: RequestCommit,
  resolution: Resolution,
): void {
  const { blobs, timers } = inForce(memory);
  const key = `${tenant}:${subject}`;
  const hasTaken = resolution.slots.some(({ chosen }) => choices[chosen]?.caps.some(isOfSubject));
  if (forgetAt !== undefined && hasTaken && !blobs.has(key) && !timers.has(key)) timers.set(key, forgetAt);
}

/** Whether it is counted with the subject. */
const isOfSubject = ({ role, lease }: CapTake): boolean => role !== 'after' && lease === undefined;

function capsOf(memory: PartitionMemory, tenant: string, subject: string): SubjectCaps {
  const key = `${tenant}:${subject}`;
  let caps = memory.caps.get(key);
  if (caps === undefined) {
    caps = noCaps();
    memory.caps.set(key, caps);
  }
  return caps;
}

function publish(memory: PartitionMemory, entry: Omit<StoredOutboxEntry, 'offset'>): number {
  const offset = outboxEnd(memory);
  memory.outbox.push({ offset, ...entry });
  for (const wake of memory.waiting) wake();
  return offset;
}

function nextPublication(memory: PartitionMemory, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      memory.waiting.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, waitMs);
    memory.waiting.add(wake);
  });
}
