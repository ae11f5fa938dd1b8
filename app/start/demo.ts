import { resolve } from 'node:path';
import { type Logger, messageOf, PresageError, type Role, simulatedPrefix } from '../../core/index.ts';
import type { Demo } from '../../gateway/index.ts';
import { deleteSimulated, type Sink } from '../../sinks/clickhouse/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Needed } from '../roles/trim.ts';
import { simulate } from '../simulate.ts';
import type { DataFolder } from './data-folder.ts';
import type { Resources } from './resources.ts';

export interface DemoControl extends Demo {
  isSimulating(): boolean;
  startSimulating(address: string): Promise<void>;
  stopSimulating(): Promise<void>;
}

export interface DemoParts extends Resources {
  readonly workspace: CompiledWorkspace;
  readonly folder: DataFolder;
  readonly logger: Logger;
  readonly worker: Role;
  readonly sink: Sink;
  /** Lowest positions that sink and push still need; null while one of them has not begun. */
  readonly needed: Needed;
  /** State is being copied to other partitions: what is deleted now would come back. */
  readonly isMoving: () => boolean;
}

const shoppers = 12;

/** The demo page's key, the simulated visitors, and the way to get rid of them. */
export function makeDemo(parts: DemoParts): DemoControl {
  const { workspace, folder, keys, logger, log, store, worker, sink, connector, warehouse } = parts;
  let running: { readonly stop: AbortController; readonly done: Promise<void> } | null = null;
  let making: Promise<unknown> = Promise.resolve();

  /** One key a tenant, kept in the data folder: it stands in a page anyway. */
  function key(tenant: string): Promise<string> {
    const made = making.then(async () => {
      const secrets = await folder.secrets();
      const known = secrets.demoKeys[tenant];
      if (known !== undefined && (await keys.find(known))?.revokedAt === null) return known;
      const { key: text } = await keys.create({ tenant, kind: 'public', name: 'demo page' });
      await folder.saveSecrets({ ...secrets, demoKeys: { ...secrets.demoKeys, [tenant]: text } });
      return text;
    });
    making = made.catch(() => {});
    return made;
  }

  async function startSimulating(address: string): Promise<void> {
    const declared = workspace.source.simulate?.module;
    const tenant = [...workspace.tenants.keys()][0];
    if (declared === undefined || tenant === undefined || running !== null) return;
    const stop = new AbortController();
    const done = simulate({
      address,
      key: await key(tenant),
      seed: parts.clock.now() % 2 ** 31,
      shoppers,
      signal: stop.signal,
      module: resolve(workspace.folder, declared),
    }).then(
      () => {},
      (error: unknown) => logger.warn({ err: messageOf(error) }, 'The simulated visitors ended'),
    );
    running = { stop, done };
  }

  async function stopSimulating(): Promise<void> {
    const current = running;
    running = null;
    current?.stop.abort();
    await current?.done;
  }

  /**
   * Everything of simulated visitors, everywhere: log and outbox up to where everyone has read them (not
   * a log in Kafka), states, caps and
   * inboxes in Redis, rows in ClickHouse. The worker stands still meanwhile, so that nothing comes back from its memory.
   */
  async function reset(): Promise<{ subjects: number; rows: number }> {
    if (parts.isMoving())
      throw new PresageError(
        'repartition_running',
        'The number of partitions is being changed: wait until that is done.',
      );
    await stopSimulating();
    const ends: number[] = [];
    for (let partition = 0; partition < log.partitions; partition++)
      ends.push((await log.range(partition)).end);
    await sink.untilPassed(ends);
    await worker.stop();
    try {
      for (let partition = 0; partition < log.partitions; partition++) {
        const { position } = await store.head(partition);
        // Kafka's is what all state is rebuilt from, real customers' too: simulated events leave it by its retention.
        if (!parts.logKeepsItself) await log.trim(partition, Math.min(position, ends[partition] ?? 0));
        await store.trimOutbox(partition, (await parts.needed(partition))?.outbox ?? 0);
      }
      const subjects = await forgetSimulatedKeys();
      return { subjects, rows: await deleteSimulated(warehouse) };
    } finally {
      await worker.start();
    }
  }

  async function forgetSimulatedKeys(): Promise<number> {
    const redis = connector.connect('reset');
    redis.on('error', () => {});
    let subjects = 0;
    try {
      await new Promise((ready) => redis.once('ready', ready));
      let cursor = '0';
      do {
        const [next, found] = await redis.scan(
          cursor,
          'MATCH',
          `{events.*}:*:a:${simulatedPrefix}*`,
          'COUNT',
          1_000,
        );
        cursor = next;
        subjects += found.filter((name) => /\}:state(@\d+)?:/.test(name)).length;
        for (const name of found) await redis.unlink(name);
      } while (cursor !== '0');
    } finally {
      redis.disconnect();
    }
    return subjects;
  }

  return { key, isSimulating: () => running !== null, startSimulating, stopSimulating, reset };
}
