import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { asSubjectId, type Clock, PresageError, partitionOf, rawIdOf } from '../../core/index.ts';
import {
  type Gateway,
  type GatewayDeps,
  type KeyStore,
  makeGateway,
  makeKeyStore,
  makeThroughput,
  memoryKeyStorage,
  type ReviewDesk,
} from '../../gateway/index.ts';
import type { DecideRequest, DecisionRecord, StoredEvent } from '../../schemas/index.ts';
import { makeFeatureSet, moveTo } from '../../stream/features/index.ts';
import { type EventLog, memoryLog } from '../../stream/log/index.ts';
import { memoryState, type StateStore } from '../../stream/state/index.ts';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';
import { silentLogger } from './silence.ts';

const nothingToReview = async (): Promise<never> => {
  throw new PresageError('unknown_review', 'Nothing of this id is to be reviewed.');
};
const emptyDesk: ReviewDesk = {
  list: async () => ({ waiting: [], count: 0, decided: [] }),
  one: nothingToReview,
  say: nothingToReview,
};

/** Two tenants, one declared type, a feature, a placement: enough for every route. */
export const openWorkspace = `version: 1
name: lab
events: open
tenants:
  acme: { currency: EUR }
  globex: { currency: USD }
types:
  viewed:
    properties: { sku: string, price: number }
    required: [sku]
  page: {}
features:
  views: { kind: count, of: viewed, window: 1h }
placements:
  banner: { expires: 10m }
actions:
  help: { placements: [banner], value: 1, content: { title: Help } }
`;

export const closedWorkspace = openWorkspace.replace('events: open', 'events: closed');

export const adminToken = 'admin-token-of-the-tests-0123456789abcdef';

export interface Lab {
  readonly gateway: Gateway;
  readonly address: string;
  readonly log: EventLog;
  readonly store: StateStore;
  readonly workspace: CompiledWorkspace;
  readonly features: GatewayDeps['features'];
  readonly keys: KeyStore;
  readonly deps: GatewayDeps;
  readonly decided: DecideRequest[];
  readonly logger: ReturnType<typeof silentLogger>;
  readonly controls: { what: string; tenants: readonly string[]; by: string; reason: string | undefined }[];
  /** Keys of a tenant: all scopes, and a public one. */
  keysOf(tenant: string): Promise<{ secret: string; open: string }>;
  /** What the log holds. */
  events(): Promise<StoredEvent[]>;
  /** Puts a subject's state where the worker would. */
  putFeatures(
    tenant: string,
    subject: string,
    events: readonly { type: string; time: number }[],
  ): Promise<void>;
  /** Makes an anonymous id a user's, as the worker would. */
  identify(tenant: string, anonymousId: string, userId: string): Promise<void>;
  post(path: string, body: unknown, key?: string, headers?: Record<string, string>): Promise<Answer>;
  get(path: string, key?: string, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
  readonly body: any;
}

export const realClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** A gateway that listens on a free port, on log and state in memory. */
export async function startLab(overrides: Partial<GatewayDeps> & { yaml?: string } = {}): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'presage-gateway-'));
  await writeFile(join(folder, 'presage.yaml'), overrides.yaml ?? openWorkspace);
  const workspace = await loadWorkspace(folder);
  const clock = overrides.clock ?? realClock;
  const log = overrides.log ?? memoryLog({ partitions: 4, clock });
  const store = overrides.store ?? memoryState({ clock });
  const features = makeFeatureSet(workspace);
  const keys =
    overrides.keys ??
    makeKeyStore({ storage: memoryKeyStorage(), clock, randomBytes: (n) => randomBytes(n) });
  const decided: DecideRequest[] = [];
  const controls: Lab['controls'] = [];
  const stopped = new Set<string>();
  const logger = silentLogger();
  const control =
    (what: 'stop' | 'resume') => async (tenants: readonly string[], by: string, reason?: string) => {
      controls.push({ what, tenants, by, reason });
      for (const tenant of tenants) what === 'stop' ? stopped.add(tenant) : stopped.delete(tenant);
    };
  const { yaml: _yaml, ...given } = overrides;
  const deps: GatewayDeps = {
    log,
    store,
    workspace,
    features,
    warehouse: null,
    keys,
    sessionSecrets: (tenant) =>
      workspace.tenants.has(tenant) ? Buffer.from(`session secret of ${tenant}, long enough`) : undefined,
    decide: async (request) => {
      decided.push(request);
      return [];
    },
    explain: async (request) => {
      decided.push(request);
      return [{ candidates: [] } as unknown as DecisionRecord];
    },
    control: { stop: control('stop'), resume: control('resume'), stoppedTenants: () => stopped },
    // Its own rules are tested where it is (jobs/review).
    reviews: emptyDesk,
    roles: () => [{ name: 'stream', health: { state: 'ok' } }],
    throughput: makeThroughput(clock),
    registry: new Registry(),
    clock,
    logger,
    newId: () => randomUUID(),
    randomBytes: (n) => randomBytes(n),
    adminToken,
    consoleSecret: 'a secret of the tests, longer than 32 characters',
    host: '127.0.0.1',
    port: 0,
    folders: { console: null, demo: null, client: null },
    version: '0.0.0-test',
    simulating: () => false,
    feedStatus: null,
    demo: null,
    ...given,
  };
  const gateway = await makeGateway(deps);
  await gateway.start();

  const ask = async (
    method: string,
    path: string,
    body: unknown,
    key?: string,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${gateway.address}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : {
            body:
              typeof body === 'string' || body instanceof Uint8Array
                ? (body as NonNullable<RequestInit['body']>)
                : JSON.stringify(body),
          }),
    });
    const text = await response.text();
    let json: unknown = null;
    try {
      json = JSON.parse(text);
    } catch {}
    return { status: response.status, headers: response.headers, text, body: json };
  };

  return {
    gateway,
    address: gateway.address,
    log,
    store,
    workspace,
    features,
    keys,
    deps,
    decided,
    controls,
    logger,
    keysOf: async (tenant) => ({
      secret: (await keys.create({ tenant, kind: 'secret', scopes: ['write', 'session', 'read', 'admin'] }))
        .key,
      open: (await keys.create({ tenant, kind: 'public' })).key,
    }),
    events: () => eventsIn(log),
    putFeatures: async (tenant, subject, events) => {
      const state = features.empty();
      for (const [i, event] of events.entries()) {
        features.update(state, { id: `e${i}`, session: null, properties: {}, ...event }, i);
      }
      const partition = partitionOf(rawIdOf(asSubjectId(subject)), log.partitions);
      const { commitId, position } = await store.head(partition);
      await store.commit(partition, {
        previous: commitId,
        id: randomUUID(),
        position: position + events.length,
        blobs: [[`${tenant}:${subject}`, features.encode(state)]],
        partitionState: null,
        outbox: [],
      });
    },
    identify: async (tenant, anonymousId, userId) => {
      const state = features.empty();
      moveTo(features, state, userId, { id: 'identify', time: 0, isVouched: true }, 0);
      const partition = partitionOf(anonymousId, log.partitions);
      const { commitId, position } = await store.head(partition);
      await store.commit(partition, {
        previous: commitId,
        id: randomUUID(),
        position: position + 1,
        blobs: [[`${tenant}:a:${anonymousId}`, features.encode(state)]],
        partitionState: null,
        outbox: [],
      });
    },
    post: (path, body, key, headers) => ask('POST', path, body, key, headers),
    get: (path, key, headers) => ask('GET', path, undefined, key, headers),
    stop: async () => {
      await gateway.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Everything in a log, partition by partition. */
export async function eventsIn(log: EventLog): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  const reads: Promise<void>[] = [];
  const subscription = await log.subscribe({
    group: 'test',
    startAt: async (partition) => (await log.range(partition)).start,
    onAssigned: (reader) => {
      reads.push(
        reader.next(100_000, 0).then((records) => {
          for (const record of records) events.push(JSON.parse(record.value.toString('utf8')) as StoredEvent);
        }),
      );
    },
    onRevoked: () => {},
  });
  await Promise.all(reads);
  await subscription.stop();
  return events;
}
