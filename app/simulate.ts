import { setMaxListeners } from 'node:events';
import { PresageError, simulatedPrefix } from '../core/index.ts';
import { loadVisit, type Step, type Visit } from './simulate/module.ts';
import { makePace, pause } from './simulate/pace.ts';
import { randomOf } from './simulate/random.ts';
import { enter, type Visitor } from './simulate/visitor.ts';

export interface SimulateOptions {
  /** Where the instance is: `http://127.0.0.1:4400`. */
  readonly address: string;
  /** A public key. */
  readonly key: string;
  /** The same seed plays the same visits, as far as the offers they get are the same. */
  readonly seed: number;
  /** How many at a time. */
  readonly shoppers: number;
  readonly signal: AbortSignal;
  /** Path of the module that plays a visit (simulate/module.ts). */
  readonly module: string;
  /** Events a second, of all shoppers together. */
  readonly rate?: number;
}

export interface Simulated {
  readonly visits: number;
  readonly events: number;
  readonly offers: number;
  readonly accepted: number;
}

/** Between the first visits, so that they don't move in step. */
const staggerMs = 300;
const betweenVisitsMs = 1_000;

/**
 * Plays visitors against a running instance, over HTTP and Socket.IO like browsers, until the signal is aborted; a
 * visitor who leaves is followed by a new one. Returns what was played. Throws PresageError: `bad_simulation` for the
 * module's mistakes, `simulation_refused` when the server does not take the events (a wrong key).
 */
export async function simulate(options: SimulateOptions): Promise<Simulated> {
  const visit = await loadVisit(options.module);
  // One shopper's failure ends all: they would all fail alike.
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  // Every shopper waits on it.
  setMaxListeners(0, signal);
  const mayPlay = makePace(options.rate ?? 8, signal);
  const total = { visits: 0, events: 0, offers: 0, accepted: 0 };

  const play = async (shopper: number): Promise<void> => {
    await pause(shopper * staggerMs, signal);
    while (!signal.aborted) {
      const number = total.visits++;
      await playVisit({ ...options, signal }, visit, number, mayPlay, total);
      await pause(betweenVisitsMs, signal);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.shoppers }, (_, shopper) => play(shopper)));
  } finally {
    failed.abort();
  }
  return total;
}

type Total = { -readonly [Name in keyof Simulated]: Simulated[Name] };

async function playVisit(
  { address, key, seed, signal, module }: SimulateOptions,
  visit: Visit,
  number: number,
  mayPlay: () => Promise<void>,
  total: Total,
): Promise<void> {
  const random = randomOf(`${seed}/${number}`);
  const anonymousId = `${simulatedPrefix}${seed.toString(36)}-${number.toString(36)}`;
  const visitor = enter({ address, key, anonymousId, signal });
  try {
    const steps = visit({ random, number });
    for (let next = steps.next([]); !next.done && !signal.aborted; ) {
      await take(next.value, visitor, mayPlay, signal, total, module);
      const seen = visitor.seen();
      total.offers += seen.length;
      next = steps.next(seen);
    }
  } finally {
    visitor.leave();
  }
}

async function take(
  step: Step,
  visitor: Visitor,
  mayPlay: () => Promise<void>,
  signal: AbortSignal,
  total: Total,
  module: string,
): Promise<void> {
  if ('wait' in step) return pause(step.wait, signal);
  if ('accept' in step) {
    total.accepted += 1;
    return visitor.answer(step.accept, 'accepted');
  }
  if ('dismiss' in step) return visitor.answer(step.dismiss, 'dismissed');
  if (!('track' in step || 'page' in step))
    throw new PresageError(
      'bad_simulation',
      `${module} yielded ${JSON.stringify(step)}; a step is {wait}, {page}, {track, properties}, {accept} or {dismiss}.`,
    );
  await mayPlay();
  if (signal.aborted) return;
  total.events += 1;
  if ('track' in step)
    return visitor.send({ type: 'track', event: step.track, properties: step.properties ?? {} });
  return visitor.send({ type: 'page', name: step.page });
}
