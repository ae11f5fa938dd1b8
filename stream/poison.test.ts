import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { PresageError, partitionOf } from '../core/index.ts';
import type { OutboxEntry, StoredEvent } from '../schemas/index.ts';
import { manualClock } from '../tests/support/clock.ts';
import { root, waitFor } from '../tests/support/program.ts';
import { silentLogger } from '../tests/support/silence.ts';
import { type CompiledWorkspace, loadWorkspace } from '../workspace/index.ts';
import { makeFeatureSet } from './features/index.ts';
import { memoryLog } from './log/index.ts';
import { streamMetrics } from './metrics.ts';
import { readOutboxEntry } from './outbox.ts';
import { memoryState } from './state/index.ts';
import { makeWorker } from './worker.ts';

const start = Date.UTC(2026, 0, 1);
const scorers = { get: () => undefined, close: async () => {} };
const small = await loadWorkspace(`${root}/tests/workspaces/small`);

const event = (changes: Partial<StoredEvent>): StoredEvent => ({
  v: 1,
  id: 'e',
  tenant: 'acme',
  type: 'view',
  userId: 'ann',
  time: start - 1,
  properties: { sku: 'x', price: 1.5 },
  source: 'http',
  ...changes,
});

const bytesOf = (value: StoredEvent | string): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

/** What one partition makes of these records; fails when the worker does not get past them. */
async function entriesOf(
  values: readonly (StoredEvent | string)[],
  workspace: CompiledWorkspace = small,
): Promise<{ entries: OutboxEntry[]; restarts: number; load(subject: string): Promise<Buffer | null> }> {
  const clock = manualClock(start);
  const log = memoryLog({ partitions: 1, clock });
  const store = memoryState({ clock });
  const metrics = streamMetrics(new Registry());
  let ids = 0;
  const role = makeWorker({
    workspace,
    features: makeFeatureSet(workspace),
    scorers,
    clock,
    partitions: 1,
    log,
    store,
    metrics,
    logger: silentLogger(),
    backoffMs: { first: 1, most: 4 },
    newId: () => `c${ids++}`,
  });
  await log.append(values.map((value) => ({ partition: 0, key: 'ann', value: bytesOf(value) })));
  await role.start();
  try {
    await waitFor(
      'the worker to get past every record',
      async () => (await store.head(0)).position === values.length,
    );
  } finally {
    await role.stop();
  }
  const { start: from, end } = await store.outboxRange(0);
  const entries = (await store.readOutbox(0, from, end - from, 0)).map(readOutboxEntry);
  const restarts = (await metrics.restarts.get()).values[0]?.value ?? 0;
  return {
    entries,
    restarts,
    load: async (subject) => (await store.load(0, [`acme:${subject}`]))[0] ?? null,
  };
}

const codesIn = (entries: readonly OutboxEntry[]): string[] =>
  entries.flatMap((entry) => (entry.kind === 'dead' ? [entry.dead.code] : []));

describe('a partition that cannot go on', () => {
  it('is told by the health, whatever the others do and however often it begins again', async () => {
    const clock = manualClock(start);
    const log = memoryLog({ partitions: 2, clock });
    const store = memoryState({ clock });
    let isBroken = true;
    const role = makeWorker({
      workspace: small,
      features: makeFeatureSet(small),
      scorers,
      clock,
      partitions: 2,
      log,
      store: {
        ...store,
        commit: async (partition, commit) => {
          if (isBroken && partition === 0) throw new PresageError('state_refused', 'No.');
          return store.commit(partition, commit);
        },
      },
      metrics: streamMetrics(new Registry()),
      logger: silentLogger(),
      backoffMs: { first: 1, most: 4 },
      newId: () => String(Math.random()),
    });
    const append = (partition: number, id: string) =>
      log.append([{ partition, key: 'k', value: bytesOf(event({ id, userId: idIn(partition) })) }]);
    await role.start();
    await waitFor('the first health', () => role.health().state === 'ok');
    await append(0, 'stuck');
    await waitFor('the trouble', () => role.health().state === 'degraded');
    const seen = new Set<string>();
    for (let n = 0; n < 20; n++) {
      await append(1, `e${n}`);
      await waitFor('the other partition', async () => {
        seen.add(role.health().state);
        return (await store.head(1)).position === n + 1;
      });
    }
    expect([...seen]).toEqual(['degraded']);
    isBroken = false;
    await waitFor('the recovery', () => role.health().state === 'ok');
    expect((await store.head(0)).position).toBe(1);
    await role.stop();
  });
});

/** A user of this partition out of two. */
function idIn(partition: number): string {
  const found = ['ann', 'bob', 'eve', 'joe', 'kim'].find((name) => partitionOf(name, 2) === partition);
  if (found === undefined) throw new Error('Both partitions have somebody.');
  return found;
}

describe('what would stop a partition for ever', () => {
  it('a record as large as the log takes them, of which nothing can be read', async () => {
    const { entries } = await entriesOf(['x'.repeat(1024 * 1024), event({ id: 'good' })]);
    expect(codesIn(entries)).toEqual(['not_json']);
  });

  it('an envelope whose tenant is a megabyte long', async () => {
    const { entries } = await entriesOf([JSON.stringify({ v: 1, tenant: '\u0001'.repeat(170_000) })]);
    expect(codesIn(entries)).toEqual(['not_an_event']);
  });

  it('properties nested deeper than any stack', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const text = JSON.stringify(event({ properties: { sku: 'x' } })).replace('"x"}', `"x","deep":${deep}}`);
    const inContext = JSON.stringify(event({ context: { a: 1 } })).replace('"a":1', `"a":${deep}`);
    const { entries } = await entriesOf([text, inContext, event({ id: 'good' })]);
    expect(codesIn(entries)).toEqual(['too_deep', 'too_deep']);
  });

  it('ids that are no text: two of them would share one state in Redis', async () => {
    const { entries } = await entriesOf([
      event({ userId: '\ud800' }),
      event({ userId: '\ud801' }),
      event({ userId: 'ann \u{1f600}' }),
    ]);
    expect(codesIn(entries)).toEqual(['bad_subject', 'bad_subject']);
  });

  it('names that mean something to JavaScript, and numbers at their edges', async () => {
    const properties = JSON.parse(
      '{"__proto__":{"price":1},"constructor":"x","price":-0,"sku":"\\ud83d","big":1e308,"toString":5}',
    );
    const { entries, restarts } = await entriesOf([
      event({ id: '__proto__', properties }),
      event({ id: 'constructor', type: 'constructor', session: '__proto__', properties }),
      JSON.stringify(event({ id: 'inf' })).replace('1.5', '1e999'),
      event({ id: 'toString', userId: '__proto__', properties }),
    ]);
    expect(codesIn(entries)).toEqual(['wrong_type']);
    expect(restarts).toBe(0);
  });

  it('a subject whose state has grown over the size of a blob', async () => {
    const workspace = keyed(256);
    const many = Array.from({ length: 600 }, (_, n) =>
      event({ id: `e${n}`, time: start - 600 + n, properties: { sku: `${n} ${'\u4e00'.repeat(250)}` } }),
    );
    const { entries, load, restarts } = await entriesOf(
      [...many, event({ id: 'bob', userId: 'bob' })],
      workspace,
    );
    expect(codesIn(entries)).toEqual([]);
    expect(restarts).toBe(0);
    expect(await load('u:ann')).toBeNull();
    expect(await load('u:bob')).not.toBeNull();
  });

  it('more decisions in a batch than one commit takes', async () => {
    const workspace = withTriggers(24);
    const { entries } = await entriesOf(
      Array.from({ length: 1_000 }, (_, n) => event({ id: `e${n}` })),
      workspace,
    );
    expect(entries.filter(({ kind }) => kind === 'decision')).toHaveLength(24_000);
  });

  it('a decision whose record is larger than an outbox entry', async () => {
    const workspace = withActions(200, 'x'.repeat(16_000));
    const { entries } = await entriesOf([event({})], workspace);
    const [decision] = entries.flatMap((entry) => (entry.kind === 'decision' ? [entry.decision] : []));
    expect(decision?.candidates).toHaveLength(200);
    expect(decision?.offer).not.toBeNull();
  });

  it('a decision whose candidates all saw a long list', async () => {
    const workspace = withActions(200, 'x');
    const seen = Array.from({ length: 1_000 }, (_, n) => `${n} ${'y'.repeat(24)}`);
    const { entries } = await entriesOf([event({})], seeing(workspace, seen));
    const [decision] = entries.flatMap((entry) => (entry.kind === 'decision' ? [entry.decision] : []));
    expect(decision?.candidates).toHaveLength(200);
  });
});

function keyed(keys: number): CompiledWorkspace {
  const [views] = small.features;
  if (views === undefined) throw new Error('The small workspace has features.');
  return { ...small, features: [{ ...views, name: 'by_sku', by: 'sku', keys }], triggersByType: new Map() };
}

function withTriggers(count: number): CompiledWorkspace {
  const [trigger] = small.triggersByType.get('view') ?? [];
  if (trigger === undefined) throw new Error('The small workspace has a trigger.');
  const triggers = Array.from({ length: count }, (_, n) => ({ ...trigger, name: `t${n}` }));
  return { ...small, triggersByType: new Map([['view', triggers]]) };
}

function withActions(count: number, text: string): CompiledWorkspace {
  const [trigger] = small.triggersByType.get('view') ?? [];
  const second = trigger?.placement.actions.find(({ name }) => name === 'second');
  if (trigger === undefined || second === undefined) throw new Error('The small workspace has an action.');
  const actions = Array.from({ length: count }, (_, n) => ({
    ...second,
    name: `action_${n}`,
    content: { text },
  }));
  const placement = { ...trigger.placement, actions };
  return { ...small, triggersByType: new Map([['view', [{ ...trigger, placement }]]]) };
}

/** All actions but the first are out, by an expression that read a long list. */
function seeing(workspace: CompiledWorkspace, list: readonly string[]): CompiledWorkspace {
  const [trigger] = workspace.triggersByType.get('view') ?? [];
  if (trigger === undefined) throw new Error('There is a trigger.');
  const eligible = {
    text: 'size(event.list) > 2000',
    reads: ['event.list'],
    readsAction: false,
    evaluate: () => ({ kind: 'value', value: false }) as const,
    saw: () => ({ 'event.list': list }),
  };
  const actions = trigger.placement.actions.map((action, index) =>
    index === 0 ? action : { ...action, eligible },
  );
  const placement = { ...trigger.placement, actions };
  return { ...workspace, triggersByType: new Map([['view', [{ ...trigger, placement }]]]) };
}
