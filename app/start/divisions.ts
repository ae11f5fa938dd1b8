import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import { type Clock, type Logger, messageOf, PresageError } from '../../core/index.ts';
import { type Inbox, redisInbox } from '../../sinks/socketio/index.ts';
import { type EventLog, type LogVersion, shiftedLog } from '../../stream/log/index.ts';
import { RedisCaller, type RedisConnector } from '../../stream/redis/index.ts';
import type { Send } from '../../stream/repartition/index.ts';
import { redisState, type StateStore } from '../../stream/state/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Environment } from '../environment.ts';
import type { DataFolder } from './data-folder.ts';
import { openLog } from './log.ts';
import { type LogWithSchemas, withSchemas } from './schemas.ts';
import { inForce, type KeptVersions, parseVersions, readVersions, saveVersions } from './versions.ts';

/** What belongs to one division of the log into partitions. */
export interface Division {
  readonly version: LogVersion;
  readonly log: EventLog;
  readonly store: StateStore;
  readonly inbox: Inbox;
  /** Registers schemas of a workspace's events, where a schema registry is named. */
  readonly register: (workspace: CompiledWorkspace) => Promise<void>;
  close(): Promise<void>;
}

/** A division that is open and not yet used: where it begins is not known before the one before it has ended. */
export interface NextDivision {
  at(base: number): Division;
  close(): Promise<void>;
}

/** The division in force, and the way to the next. */
export interface Divisions {
  readonly send: Send;
  current(): Division;
  kept(): KeptVersions;
  save(next: Pick<KeptVersions, 'all' | 'plan'>): Promise<void>;
  /** Reads again what is kept: after a save of which nobody knows whether it was made. */
  reread(): Promise<KeptVersions>;
  /** Opens a log without a record. Throws `partitions_mismatch` or `log_not_empty` where one is there already. */
  open(version: Omit<LogVersion, 'base'>): Promise<NextDivision>;
  /** Everyone uses this one from here on; the one before is closed. */
  use(division: Division): Promise<void>;
  close(): Promise<void>;
}

export interface DivisionParts {
  readonly environment: Environment;
  readonly workspace: CompiledWorkspace;
  readonly connector: RedisConnector;
  readonly shared: Redis;
  readonly folder: Pick<DataFolder, 'versions' | 'saveVersions'>;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly logger: Logger;
}

export async function openDivisions(parts: DivisionParts): Promise<Divisions> {
  const { connector, clock } = parts;
  const caller = new RedisCaller({
    connector,
    name: 'state',
    clock,
    patienceMs: 10_000,
    commandTimeoutMs: 5_000,
  });
  const send: Send = (command, what) => caller.call(command, { what, repeatable: true });
  let kept: KeptVersions;
  let current: Division;
  try {
    kept = await remembered(parts, send);
    const version = inForce(kept);
    current = divisionOf(parts, version, await openVersion(parts, version));
  } catch (error) {
    caller.close();
    throw error;
  }

  return {
    send,
    current: () => current,
    kept: () => kept,
    async save(next) {
      kept = await saveVersions(send, kept, next);
      await note(parts, kept);
    },
    async reread() {
      kept = await readVersions(send);
      return kept;
    },
    async open(version) {
      const opened = await openVersion(parts, version);
      const { log } = opened;
      try {
        for (let partition = 0; partition < version.partitions; partition++)
          if ((await log.range(partition)).end > 0)
            throw new PresageError(
              'log_not_empty',
              `Version ${version.version} of the log has records already.`,
            );
      } catch (error) {
        await log.close();
        throw error;
      }
      return { at: (base) => divisionOf(parts, { ...version, base }, opened), close: () => log.close() };
    },
    async use(division) {
      const before = current;
      current = division;
      await before.close();
    },
    async close() {
      await current.close();
      caller.close();
    },
  };
}

/** As Redis has it; where it has lost all, as the data folder has it: positions must not begin below those of before. */
async function remembered(parts: DivisionParts, send: Send): Promise<KeptVersions> {
  let kept = await readVersions(send);
  const noted = parseVersions(await parts.folder.versions());
  if (kept.turn === 0 && noted !== null && noted.length > 1) {
    parts.logger.error(
      { version: noted.at(-1)?.version },
      'Redis does not know how the log is divided any more: going on as the data folder says. Run `presage rebuild`.',
    );
    kept = await saveVersions(send, kept, { all: noted, plan: null });
  }
  await note(parts, kept);
  return kept;
}

async function note({ folder, logger }: DivisionParts, { all }: KeptVersions): Promise<void> {
  try {
    await folder.saveVersions(JSON.stringify(all));
  } catch (error) {
    logger.warn({ err: messageOf(error) }, 'How the log is divided could not be noted in the data folder');
  }
}

/** Its first position is 0. */
async function openVersion(
  { environment, workspace, connector, registry, logger }: DivisionParts,
  { version, partitions }: Omit<LogVersion, 'base'>,
): Promise<LogWithSchemas> {
  const bare = await openLog({
    kafka: environment.kafka,
    connector,
    version,
    partitions,
    registry,
    logger,
  });
  try {
    return await withSchemas(bare, environment, workspace, version);
  } catch (error) {
    await bare.close();
    throw error;
  }
}

function divisionOf(
  { connector, shared, clock }: DivisionParts,
  version: LogVersion,
  opened: LogWithSchemas,
): Division {
  const log = shiftedLog(opened.log, version.base);
  const store = redisState({ connector, version: version.version, clock });
  return {
    version,
    log,
    store,
    inbox: redisInbox(shared, `events.v${version.version}`),
    register: opened.register,
    async close() {
      await log.close();
      await store.close();
    },
  };
}
