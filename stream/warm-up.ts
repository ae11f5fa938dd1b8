import { Registry } from 'prom-client';
import { asSubjectId, type Logger, messageOf } from '../core/index.ts';
import type { StoredEvent } from '../schemas/index.ts';
import type { CompiledWorkspace } from '../workspace/index.ts';
import { memoryLog, type NewRecord } from './log/index.ts';
import { streamMetrics } from './metrics.ts';
import { memoryState } from './state/index.ts';
import { makeSubjectReader } from './subject-reader.ts';
import { makeWorker } from './worker.ts';
import type { WorkerParts } from './worker-parts.ts';

const subjects = 64;
/** A batch is small, as batches are while there is no lag. */
const eventsAtOnce = 16;
/** Between two events of all subjects: a subject has some in one session, and windows move on. */
const stepMs = 700;
const keyOf = (n: number): string => `warm-up-${n % subjects}`;
const everyone = Array.from({ length: subjects }, (_, n) => asSubjectId(`u:${keyOf(n)}`));

/**
 * Runs made-up events of the workspace's types through a worker on memory for about `forMs`, and reads the features that
 * come of them, so that the first real ones find code that is compiled. Models are asked as well. Nothing of it is seen outside: log, state, metrics and commits are
 * its own. Resolves with the number of events; trouble ends it early and is no reason not to start.
 */
export async function warmUp(parts: WorkerParts, forMs: number, patienceMs = 5_000): Promise<number> {
  const { clock, workspace } = parts;
  const end = clock.monotonic() + forMs;
  const log = memoryLog({ partitions: 1, clock });
  const store = memoryState({ clock });
  const reader = makeSubjectReader({ store, features: parts.features, partitions: 1, clock });
  const tenant = [...workspace.tenants.keys()][0] ?? '';
  let made = 0;
  let committed = 0;
  let wake: () => void = () => {};
  const worker = makeWorker({
    ...parts,
    engines: undefined,
    shared: undefined,
    completeMoved: undefined,
    partitions: 1,
    log,
    store,
    metrics: streamMetrics(new Registry()),
    logger: silent,
    paceMs: 0,
    onCommitted: ({ records }) => {
      committed += records;
      wake();
    },
  });
  try {
    await worker.start();
    do {
      const records = Array.from({ length: eventsAtOnce }, () => madeUp(workspace, made++, clock.now()));
      const done = new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('nothing was committed')), patienceMs);
        wake = () => {
          if (committed < made) return;
          clearTimeout(late);
          resolve();
        };
      });
      await Promise.all([log.append(records), done]);
      await log.trim(0, committed);
      for (const subject of everyone) await reader.read(tenant, [subject], 'now');
      await reader.read(tenant, everyone, 'now');
    } while (clock.monotonic() < end);
  } catch (error) {
    parts.logger.debug({ err: messageOf(error) }, 'The stream worker was not warmed up');
  } finally {
    await worker.stop();
    await log.close();
  }
  return committed;
}

/** The `n`-th event: types, subjects and values in turn. Its time is in the past, so that none is clamped. */
function madeUp({ source, tenants, types }: CompiledWorkspace, n: number, now: number): NewRecord {
  const names = [...types.keys()];
  const type = names[n % Math.max(1, names.length)] ?? 'page';
  const declared = Object.entries(source.types[type]?.properties ?? {});
  const key = keyOf(n);
  const event: StoredEvent = {
    v: 1,
    id: `warm-up-${n}`,
    tenant: [...tenants.keys()][0] ?? '',
    type,
    userId: key,
    time: now - 86_400_000 + n * stepMs,
    properties: Object.fromEntries(declared.map(([name, kind]) => [name, someValue(kind, n)])),
    source: 'engine',
    ...(types.get(type) === undefined ? {} : { schema: types.get(type)?.schemaHash }),
  };
  return { partition: 0, key, value: Buffer.from(JSON.stringify(event)) };
}

type PropertyType = CompiledWorkspace['source']['types'][string]['properties'][string];

function someValue(kind: PropertyType, n: number): unknown {
  switch (kind) {
    case 'string':
      return `value-${n % 50}`;
    case 'number':
      return (n % 400) / 4;
    case 'boolean':
      return n % 2 === 0;
    case 'list':
      return [];
    case 'object':
      return {};
  }
}

const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
};
