import { Registry } from 'prom-client';
import { asSubjectId, partitionOf, rawIdOf, subjectOfEvent } from '../../core/index.ts';
import type { DecisionRecord, OutboxEntry, StoredEvent } from '../../schemas/index.ts';
import { makeFeatureSet, type SubjectState } from '../../stream/features/index.ts';
import { makeRelay, relayReader } from '../../stream/identity/relay.ts';
import { type EventLog, memoryLog } from '../../stream/log/index.ts';
import { streamMetrics } from '../../stream/metrics.ts';
import { readOutboxEntry } from '../../stream/outbox.ts';
import { memoryState, type StateStore } from '../../stream/state/index.ts';
import { makeWorker } from '../../stream/worker.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { manualClock } from './clock.ts';
import { root, waitFor } from './program.ts';
import { silentLogger } from './silence.ts';

export const partitions = 3;
export const start = Date.UTC(2026, 0, 1, 12);
const scorers = { get: () => undefined, close: async () => {} };
export const workspace = await loadWorkspace(`${root}/tests/workspaces/identity`);
export const features = makeFeatureSet(workspace);

/** A log and a store with worker and relay; each `settle` is a life of both of them. */
export function rig(log?: EventLog, store?: StateStore, used = workspace) {
  const clock = manualClock(start);
  const parts = {
    clock,
    log: log ?? memoryLog({ partitions, clock }),
    store: store ?? memoryState({ clock }),
  };
  let ids = 0;
  const metrics = streamMetrics(new Registry());

  const isDone = async (hasRelay: boolean): Promise<boolean> => {
    for (let p = 0; p < partitions; p++) {
      if ((await parts.store.head(p)).position < (await parts.log.range(p)).end) return false;
      if (!hasRelay) continue;
      const relay = await parts.store.readerState(p, relayReader);
      const { end } = await parts.store.outboxRange(p);
      if (end > 0 && (relay === null || JSON.parse(relay).position < end)) return false;
    }
    return true;
  };

  return {
    ...parts,
    metrics,
    send: (...events: readonly StoredEvent[]) => parts.log.append(events.map(recordOf)),
    /** Runs worker and relay until nothing is left to do; the worker alone, where somebody else is the relay. */
    async settle(hasRelay = true): Promise<void> {
      const worker = makeWorker({
        ...parts,
        workspace: used,
        features: makeFeatureSet(used),
        scorers,
        partitions,
        metrics,
        logger: silentLogger(),
        backoffMs: { first: 1, most: 4 },
        newId: () => `c${ids++}-${Math.random()}`,
      });
      const relay = makeRelay({ ...parts, logger: silentLogger(), registry: new Registry() });
      await worker.start();
      if (hasRelay) await relay.start();
      await waitFor('everything to be done', () => isDone(hasRelay));
      await Promise.all([worker.stop(), ...(hasRelay ? [relay.stop()] : [])]);
    },
    async outbox(): Promise<OutboxEntry[]> {
      const entries: OutboxEntry[] = [];
      for (let p = 0; p < partitions; p++) {
        const { start: from, end } = await parts.store.outboxRange(p);
        if (end > from)
          entries.push(...(await parts.store.readOutbox(p, from, end - from, 0)).map(readOutboxEntry));
      }
      return entries;
    },
    async stateOf(subject: string, tenant = 'acme'): Promise<SubjectState | null> {
      const partition = partitionOf(rawIdOf(asSubjectId(subject)), partitions);
      const [blob] = await parts.store.load(partition, [`${tenant}:${subject}`]);
      return blob ? features.decode(blob) : null;
    },
  };
}

export function recordOf(event: StoredEvent) {
  const key = rawIdOf(subjectOfEvent(event) ?? asSubjectId('a:'));
  return { partition: partitionOf(key, partitions), key, value: Buffer.from(JSON.stringify(event)) };
}

export const view = (id: string, who: Partial<StoredEvent>, seconds = 0): StoredEvent => ({
  v: 1,
  id,
  tenant: 'acme',
  type: 'view',
  time: start - 3_600_000 + seconds * 1_000,
  properties: { sku: `sku-${id}`, price: 1.5 },
  source: 'http',
  ...who,
});

export const identify = (
  id: string,
  anonymousId: string,
  userId: string,
  seconds = 0,
  source = 'http',
): StoredEvent => ({
  ...view(id, { anonymousId, userId }, seconds),
  type: 'identify',
  properties: { plan: 'gold' },
  source,
});

export const decisionsIn = (entries: readonly OutboxEntry[]): DecisionRecord[] =>
  entries.flatMap((entry) => (entry.kind === 'decision' ? [entry.decision] : []));
