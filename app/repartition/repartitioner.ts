import { setTimeout as wait } from 'node:timers/promises';
import {
  type Clock,
  type Gate,
  type Health,
  type Logger,
  messageOf,
  PresageError,
  type Role,
} from '../../core/index.ts';
import type { Repartition, RepartitionStatus } from '../../gateway/index.ts';
import { type Mover, makeMover, type SettleParts } from '../../stream/repartition/index.ts';
import type { Divisions, NextDivision } from '../start/divisions.ts';
import { inForce, type RepartitionPlan } from '../start/versions.ts';
import { endsOf, followers, sinkReader } from './quiet.ts';

/** What is held, stopped and begun anew around the moment at which the partitions become others. */
export interface Surroundings {
  /** Requests and messages of browsers. */
  readonly gate: Pick<Gate, 'close' | 'open'>;
  /** Read what others write: they wait where they are. */
  pauseSources(): Promise<void>;
  resumeSources(): Promise<void>;
  /** Everything that follows log and outbox; connections stay. */
  pauseFollowers(): Promise<void>;
  resumeFollowers(): Promise<void>;
  /** The partitions are others now: what was made for those before is made for these. */
  changed(): Promise<void>;
}

export interface RepartitionerParts {
  readonly divisions: Divisions;
  readonly surroundings: Surroundings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What stands in the way of beginning with so many partitions; null: nothing. */
  readonly objection: (partitions: number) => Promise<PresageError | null>;
  readonly shared: () => Pick<SettleParts, 'groups' | 'tenants'>;
  /** The topic that holds the log of a version; null: it is not in Kafka. */
  readonly topicOf: (version: number) => string | null;
  readonly times?: Partial<RepartitionTimes>;
}

export interface Repartitioner extends Repartition {
  readonly role: Role;
  isUnderWay(): boolean;
}

/** More would make thousands of streams, files and connections for nothing on one machine. */
export const mostPartitions = 256;

/** Milliseconds. */
export interface RepartitionTimes {
  /** Between two tries. */
  readonly retryMs: number;
  /** How long it is waited before producers are held until little is on its way. */
  readonly nearWithinMs: number;
  /** How long those inside may take to leave, and what is on its way to arrive, before producers go on for now. */
  readonly leaveWithinMs: number;
  readonly drainWithinMs: number;
}
const defaultTimes: RepartitionTimes = {
  retryMs: 1_000,
  nearWithinMs: 60_000,
  leaveWithinMs: 5_000,
  drainWithinMs: 20_000,
};
/** Little on its way: so many records and entries. */
const nearEnough = 2_000;
/** Touched keys that may be left for when everyone waits. */
const fewTouched = 500;
const mostRounds = 20;

/**
 * The role that changes the number of partitions: it moves the state of all subjects while they are served, then holds
 * producers back for a moment and puts the new partitions in force with one write. What it is about to do is written
 * down first; after an end at any point the next start goes on.
 */
export function makeRepartitioner(parts: RepartitionerParts): Repartitioner {
  const { divisions, surroundings, clock } = parts;
  const { retryMs, nearWithinMs, leaveWithinMs, drainWithinMs } = { ...defaultTimes, ...parts.times };
  const logger = parts.logger.child({ role: 'repartition' });
  let stopping = new AbortController();
  /** Ends what is being done for the plan there is. */
  let leaving = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let health: Health = { state: 'starting', why: 'not started yet' };
  let isBeginning = false;
  let isSwitching = false;
  let isCancelling = false;
  let copied = 0;
  let keys = 0;
  let trouble: string | null = null;
  let last: RepartitionStatus['last'] = null;

  const planned = (): RepartitionPlan | null => divisions.kept().plan;
  const fromOf = (plan: RepartitionPlan) =>
    divisions.kept().all.find(({ version }) => version === plan.from) ?? inForce(divisions.kept());

  async function begin({ partitions }: { partitions: number }): Promise<RepartitionStatus> {
    const plan = planned();
    if (plan !== null || isBeginning) {
      if (plan?.to.partitions === partitions && plan.phase !== 'cancelling') return status();
      throw new PresageError(
        'repartition_running',
        `The partitions are becoming ${plan?.to.partitions ?? 'others'} already: wait until that is done.`,
      );
    }
    isBeginning = true;
    try {
      // What was before has ended, but for its last lines.
      await running;
      const objection = numberObjection(partitions) ?? (await parts.objection(partitions));
      if (objection !== null) throw objection;
      const kept = divisions.kept();
      await divisions.save({
        all: kept.all,
        plan: {
          from: inForce(kept).version,
          to: { version: inForce(kept).version + 1, partitions },
          phase: 'copying',
          startedAt: clock.now(),
          heldMs: null,
        },
      });
      run();
      return await status();
    } finally {
      isBeginning = false;
    }
  }

  function numberObjection(partitions: number): PresageError | null {
    if (!(Number.isInteger(partitions) && partitions >= 1 && partitions <= mostPartitions))
      return new PresageError('usage', `Partitions: a number from 1 to ${mostPartitions}.`);
    const own = divisions.current().version.partitions;
    return partitions === own ? new PresageError('usage', `There are ${own} partitions already.`) : null;
  }

  /**
   * Back to how it was, while nothing has come of it. Not once producers wait: soon after, the new partitions are in force
   * and the old ones gone.
   */
  async function cancel(): Promise<RepartitionStatus> {
    if (isCancelling || planned()?.phase === 'cancelling') return status();
    if (isSwitching) throw tooLate();
    isCancelling = true;
    leaving.abort();
    try {
      await running;
      const plan = planned();
      if (plan === null) throw new PresageError('usage', 'The partitions are not becoming others.');
      if (plan.phase === 'cleaning') throw tooLate();
      if (plan.phase === 'copying')
        await divisions.save({ all: divisions.kept().all, plan: { ...plan, phase: 'cancelling' } });
    } finally {
      isCancelling = false;
      if (!stopping.signal.aborted) run();
    }
    return status();
  }

  function run(): void {
    leaving = new AbortController();
    const signal = AbortSignal.any([stopping.signal, leaving.signal]);
    copied = 0;
    trouble = null;
    running = persist(signal).catch((error: unknown) => {
      trouble = messageOf(error);
      logger.error({ err: trouble }, 'Changing the partitions ended');
    });
  }

  /** Again and again from what is written down, until it is done or we are told to end. */
  async function persist(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && planned() !== null) {
      try {
        await advance(signal);
        trouble = null;
      } catch (error) {
        if (signal.aborted) return;
        trouble = messageOf(error);
        logger.warn({ err: trouble, retryInMs: retryMs }, 'Changing the partitions waits');
        await pause(retryMs, signal);
      }
    }
  }

  async function advance(signal: AbortSignal): Promise<void> {
    const plan = planned();
    if (plan === null) return;
    const from = fromOf(plan);
    const mover = makeMover({
      send: divisions.send,
      from,
      to: plan.to,
      logger,
      now: () => clock.monotonic(),
      // As long idle as busy: what is served comes first.
      pause: (busyMs) => pause(Math.min(busyMs, 50), signal),
    });
    if (plan.phase === 'cancelling') {
      // Where that version of the log is somebody else's, nothing was copied.
      const next = await openNext(plan);
      if (next === null) return;
      await next.close();
      await mover.undo(signal);
      if (signal.aborted) return;
      await divisions.save({ ...divisions.kept(), plan: null });
      logger.info({ partitions: from.partitions }, 'The partitions stay as they are');
      return;
    }
    if (plan.phase === 'copying') {
      const next = await openNext(plan);
      if (next === null) return;
      try {
        logger.info({ from: from.partitions, to: plan.to.partitions }, 'Moving subjects to other partitions');
        await mover.mark();
        keys = await divisions.send((redis) => redis.dbsize(), 'count keys');
        copied = 0;
        const isCopied = await mover.copyAll((count) => {
          copied += count;
        }, signal);
        if (!isCopied) return;
        while (!signal.aborted && !(await changeOver(plan, mover, next, signal)))
          await pause(retryMs, signal);
      } finally {
        if (divisions.current().version.version !== plan.to.version) await next.close();
      }
    }
    if (planned()?.phase !== 'cleaning' || signal.aborted) return;
    await mover.forget(signal);
    if (signal.aborted) return;
    await finish();
  }

  async function finish(): Promise<void> {
    const kept = divisions.kept();
    const { plan } = kept;
    if (plan === null) return;
    last = {
      from: fromOf(plan).partitions,
      to: plan.to.partitions,
      seconds: (clock.now() - plan.startedAt) / 1_000,
      heldMs: plan.heldMs ?? 0,
      topicLeft: parts.topicOf(plan.from),
    };
    await divisions.save({ ...kept, plan: null });
    logger.info({ ...last }, 'The partitions are others, and what was before is gone');
  }

  /** The log that is to come. Where one of that version has records of somebody's, the next version is it; null: ask again. */
  async function openNext(plan: RepartitionPlan): Promise<NextDivision | null> {
    try {
      return await divisions.open(plan.to);
    } catch (error) {
      const isTaken =
        error instanceof PresageError &&
        (error.code === 'partitions_mismatch' || error.code === 'log_not_empty');
      if (!isTaken) throw error;
      logger.warn({ version: plan.to.version, err: error.message }, 'That version of the log is taken');
      if (plan.phase === 'cancelling') await divisions.save({ ...divisions.kept(), plan: null });
      else {
        const to = { ...plan.to, version: plan.to.version + 1 };
        await divisions.save({ ...divisions.kept(), plan: { ...plan, to } });
      }
      return null;
    }
  }

  /** true: the new partitions are in force. false: producers go on as before, and it is tried again. */
  async function changeOver(
    plan: RepartitionPlan,
    mover: Mover,
    next: NextDivision,
    signal: AbortSignal,
  ): Promise<boolean> {
    for (let round = 0; round < mostRounds && (await mover.touched()) > fewTouched; round++)
      await mover.copyTouched(signal);
    await near(signal);
    if (signal.aborted) return false;
    isSwitching = true;
    const begun = clock.monotonic();
    let isPaused = false;
    let isInForce = false;
    try {
      await surroundings.pauseSources();
      if (!(await surroundings.gate.close(leaveWithinMs))) return later('requests are still being answered');
      const behind = await drained(signal);
      if (behind !== null) return later(behind);
      isPaused = true;
      await surroundings.pauseFollowers();
      // What one of them did last may have given another something to do.
      const ends = await endsOf(divisions.current());
      if (ends.behind !== null) return later(ends.behind);
      while ((await mover.copyTouched(signal)) > 0);
      if (signal.aborted) return false;
      const version = await mover.settle({
        ...parts.shared(),
        logEnds: ends.log,
        outboxEnds: ends.outbox,
        followers,
        readers: [sinkReader],
      });
      const heldMs = Math.round(clock.monotonic() - begun);
      const { all } = divisions.kept();
      isInForce = await putInForce(
        { all: [...all, version] as unknown as typeof all, plan: { ...plan, phase: 'cleaning', heldMs } },
        signal,
      );
      if (!isInForce) return false;
      await divisions.use(next.at(version.base));
      await untilDone(surroundings.changed);
      trouble = null;
      return true;
    } finally {
      try {
        if (isPaused) await surroundings.resumeFollowers();
      } finally {
        surroundings.gate.open();
        await surroundings.resumeSources();
        isSwitching = false;
      }
      if (isInForce)
        logger.info({ heldMs: Math.round(clock.monotonic() - begun) }, 'The new partitions are in force');
    }
  }

  /** The new partitions are in force: there is no way back, and nobody may go on with what was made for the old. */
  async function untilDone(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        trouble = messageOf(error);
        logger.error({ err: trouble }, 'The new partitions cannot be used yet');
        await wait(retryMs);
      }
    }
  }

  function later(why: string): false {
    trouble = `producers could not be held back yet: ${why}`;
    logger.warn({ why }, 'The partitions could not become others yet');
    return false;
  }

  /** The one write after which the new partitions count. Whether it was made must be known before anybody goes on. */
  async function putInForce(kept: Parameters<Divisions['save']>[0], signal: AbortSignal): Promise<boolean> {
    const wanted = inForce(kept).version;
    try {
      await divisions.save(kept);
      return true;
    } catch (error) {
      trouble = messageOf(error);
      logger.error({ err: trouble }, 'It is not known yet which partitions are in force');
    }
    // Ended here, nothing goes on in this process, and the next start sees which it is.
    while (!signal.aborted) {
      try {
        const { all, plan } = await divisions.reread();
        if (inForce({ all }).version === wanted) return true;
        // From here on the save that was given up comes too late.
        await divisions.save({ all, plan });
        return false;
      } catch {
        await pause(retryMs, signal);
      }
    }
    return false;
  }

  async function near(signal: AbortSignal): Promise<void> {
    const until = clock.monotonic() + nearWithinMs;
    while (!signal.aborted && clock.monotonic() < until) {
      if ((await endsOf(divisions.current())).lag <= nearEnough) return;
      await pause(100, signal);
    }
  }

  /** null: all is quiet; else what is not. */
  async function drained(signal: AbortSignal): Promise<string | null> {
    const until = clock.monotonic() + drainWithinMs;
    for (;;) {
      const { behind } = await endsOf(divisions.current());
      if (behind === null) return null;
      if (signal.aborted || clock.monotonic() > until) return behind;
      await pause(10, signal);
    }
  }

  async function status(): Promise<RepartitionStatus> {
    const plan = planned();
    return {
      partitions: divisions.current().version.partitions,
      running:
        plan === null
          ? null
          : {
              from: fromOf(plan).partitions,
              to: plan.to.partitions,
              phase: isSwitching ? 'switching' : plan.phase,
              copied: Math.min(copied, keys),
              keys,
              trouble,
            },
      last,
    };
  }

  return {
    begin,
    cancel,
    status,
    isUnderWay: () => isBeginning || planned() !== null,
    role: {
      name: 'repartition',
      start: async () => {
        stopping = new AbortController();
        health = { state: 'ok' };
        if (planned() !== null) run();
      },
      stop: async () => {
        stopping.abort();
        await running;
        health = { state: 'down', why: 'stopped' };
      },
      health: () => health,
    },
  };
}

const tooLate = (): PresageError =>
  new PresageError(
    'repartition_running',
    'It is too late to cancel: the new partitions are coming into force. Ask for the old number when that is done.',
  );

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  wait(ms, undefined, { signal }).catch(() => {});
