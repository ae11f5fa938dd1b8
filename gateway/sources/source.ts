import { setTimeout as wait } from 'node:timers/promises';
import {
  type Clock,
  type Health,
  type Logger,
  messageOf,
  PresageError,
  type Role,
} from '../../core/index.ts';
import type { SourceDefinition } from '../../schemas/index.ts';
import type { EventLog, ExternalBatch, ExternalTopics } from '../../stream/log/index.ts';
import { type RecordDecoder, recordDecoder, type SchemaRegistry } from '../../stream/schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { SourceMetrics } from './metrics.ts';
import { recordOfSource, type SourceContext } from './record.ts';

export interface SourceParts {
  readonly name: string;
  readonly workspace: CompiledWorkspace;
  readonly topics: ExternalTopics;
  readonly log: EventLog;
  /** null where none is configured: framed values are then refused. */
  readonly registry: SchemaRegistry | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SourceMetrics;
  readonly retryMs?: { readonly first: number; readonly most: number };
}

/**
 * Reads one external topic into our log, keyed anew. A batch's offsets are committed after its events are durable, so
 * each is appended at least once; its id is the record's own or its place, so a repeat is recognised.
 */
export function makeSource(parts: SourceParts): Role {
  const { name, workspace, log, clock, metrics } = parts;
  const found = workspace.source.sources[name];
  if (found === undefined) throw new Error(`The workspace has no source ${name}.`);
  const source: SourceDefinition = found;
  const retryMs = parts.retryMs ?? { first: 100, most: 5_000 };
  const logger = parts.logger.child({ source: name });
  const contextOf = (): SourceContext => ({ name, source, workspace, partitions: log.partitions });
  const decoder: RecordDecoder = recordDecoder({
    registry: parts.registry,
    clock,
    format: source.format === 'json' ? 'json' : 'framed',
  });
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let health: Health = { state: 'starting', why: 'not started yet' };
  function become(next: Health): void {
    health = next;
    metrics.following.set({ source: name }, next.state === 'ok' ? 1 : 0);
  }
  /** Said last in the log: a topic that is missing for hours is told once. */
  let told = '';

  function onLost(partition: number, lost: number): void {
    metrics.lost.inc({ source: name }, lost);
    logger.error(
      { partition, lost, topic: source.topic },
      'Records of a source were gone before they were read: its retention is shorter than we were away',
    );
  }

  async function take({ partition, records, alive }: ExternalBatch): Promise<void> {
    const ids = decoder.unlearned(records.map(({ value }) => value));
    if (ids.length > 0) await untilDone(() => decoder.learn(ids), alive);
    const readAt = clock.now();
    const context = contextOf();
    const made = records.map((record) => {
      const decoded = decoder.decode(record.value);
      return recordOfSource(context, record, partition, decoded, readAt);
    });
    await untilDone(async () => {
      await log.append(made.map(({ record }) => record));
    }, alive);
    const bad = made.filter(({ refusal }) => refusal !== null).length;
    metrics.records.inc({ source: name, result: 'appended' }, made.length - bad);
    if (bad > 0) metrics.records.inc({ source: name, result: 'rejected' }, bad);
    become({ state: 'ok' });
  }

  /** Tries again while that can help, and stays a member of its group meanwhile. */
  async function untilDone(work: () => Promise<void>, alive: () => Promise<void>): Promise<void> {
    for (let pause = retryMs.first; ; pause = Math.min(pause * 2, retryMs.most)) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof PresageError) || !error.retriable) throw error;
        become({ state: 'degraded', why: messageOf(error) });
        await wait(pause, undefined, { signal: stopping.signal });
        await alive();
      }
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    let pause = retryMs.first;
    while (!signal.aborted) {
      try {
        await parts.topics.follow({
          name,
          topic: source.topic,
          from: source.from,
          partitions: source.keyed ? log.partitions : null,
          signal,
          onReady: () => {
            become({ state: 'ok' });
            pause = retryMs.first;
            told = '';
          },
          onLost,
          take,
        });
      } catch (error) {
        if (signal.aborted) return;
        const why = messageOf(error);
        become({ state: 'degraded', why });
        logger[why === told ? 'debug' : 'warn']({ err: why, retryInMs: pause }, 'A source begins again');
        told = why;
        await wait(pause, undefined, { signal }).catch(() => {});
        pause = Math.min(pause * 2, retryMs.most);
      }
    }
  }

  return {
    name: `source ${name}`,
    start: async () => {
      stopping = new AbortController();
      become({ state: 'starting', why: `joining the group of topic ${source.topic}` });
      running = run(stopping.signal);
    },
    stop: async () => {
      stopping.abort();
      await running;
      become({ state: 'down', why: 'stopped' });
    },
    health: () => health,
  };
}
