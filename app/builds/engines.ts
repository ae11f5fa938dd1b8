import { setTimeout as pause } from 'node:timers/promises';
import type { Role } from '../../core/index.ts';
import type { Scorers } from '../../scorers/index.ts';
import type { Engines } from '../../stream/index.ts';
import { type Handover, makeHandover } from '../../stream/rebuild/index.ts';
import type { StateStore } from '../../stream/state/index.ts';
import type { LoadedEngine } from './engine.ts';

export interface RunningEngines extends Engines {
  /** Keeps what subjects share at hand, for every engine there is. */
  readonly sharing: Role;
  /** What requests, checks and the console use: of the generation that all partitions have. */
  current(): LoadedEngine;
  /** A workspace that is about to be used on the state that there is. */
  offer(engine: LoadedEngine): void;
  /** A generation that is being built. */
  pin(generation: number, engine: LoadedEngine): void;
  /** All partitions have it. */
  settle(engine: LoadedEngine): void;
  readonly handover: Handover;
  /** The same for other partitions: takes the place of the one that all have. */
  replace(engine: LoadedEngine): Promise<void>;
}

/** A request may have begun with the engine that was in force until now: no deadline is longer. */
const scorersKeptMs = 10_000;
const lookEveryMs = 5;
/** A partition stands still so long at most while what is to come into force gets to its position. */
const patienceMs = 30_000;

/** Which workspace each generation of state is made with. */
export function makeEngines(store: StateStore, first: LoadedEngine, keptMs = scorersKeptMs): RunningEngines {
  let settled = first;
  const pinned = new Map<number, LoadedEngine>();
  let offered: LoadedEngine | null = null;
  const handover = makeHandover();
  let isRunning = false;
  const all = (): LoadedEngine[] => [
    ...new Set([settled, ...pinned.values(), ...(offered ? [offered] : [])]),
  ];
  /** Of engines that are in force no longer. */
  const retired = new Set<Scorers>();

  function retire({ scorers }: LoadedEngine): void {
    if (all().some((engine) => engine.scorers === scorers)) return;
    retired.add(scorers);
    setTimeout(() => void close(scorers), keptMs).unref();
  }

  async function close(scorers: Scorers): Promise<void> {
    retired.delete(scorers);
    // A model that does not end as it should ends with the program: nobody asks it any more.
    await scorers.close().catch(() => {});
  }

  return {
    sharing: {
      name: 'shared features',
      start: async () => {
        isRunning = true;
        await Promise.all(all().map((engine) => engine.shared?.start()));
      },
      stop: async () => {
        isRunning = false;
        await Promise.all(all().map((engine) => engine.shared?.stop()));
        await Promise.all([...retired, ...new Set(all().map(({ scorers }) => scorers))].map(close));
      },
      health: () => settled.shared?.health() ?? { state: 'ok' },
    },
    current: () => settled,
    of: (generation, workspace = null) =>
      pinned.get(generation) ?? (offered?.workspace.hash === workspace ? offered : settled),
    offer(engine) {
      const isNew = !all().includes(engine);
      offered = engine;
      if (isNew && isRunning) void engine.shared?.start();
    },
    pin(generation, engine) {
      const isNew = !all().includes(engine);
      pinned.set(generation, engine);
      if (isNew && isRunning) void engine.shared?.start();
    },
    settle(engine) {
      const before = settled;
      settled = engine;
      const others = [before, ...pinned.values(), ...(offered ? [offered] : [])];
      pinned.clear();
      offered = null;
      for (const other of new Set(others)) {
        if (other === engine) continue;
        void other.shared?.stop();
        retire(other);
      }
    },
    async replace(engine) {
      const before = settled;
      settled = engine;
      if (isRunning) await engine.shared?.start();
      await before.shared?.stop();
    },
    handover,
    async isReady(partition, generation, position, watermarks) {
      if (!pinned.has(generation)) return false;
      const shadow = store.shadow(generation);
      const waiting = { generation, position, watermarks };
      handover.wait(partition, waiting);
      for (let waited = 0; waited < patienceMs && pinned.has(generation); waited += lookEveryMs) {
        if (handover.isSettled(partition, waiting)) return true;
        if ((await shadow.head(partition)).position > position) return false;
        await pause(lookEveryMs);
      }
      return false;
    },
  };
}
