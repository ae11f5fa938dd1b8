import { setTimeout as pause } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { systemClock } from '../../app/clock.ts';
import { asSubjectId, partitionOf, rawIdOf } from '../../core/index.ts';
import type { DecisionRecord } from '../../schemas/index.ts';
import { batched } from '../../scorers/batching.ts';
import { guarded } from '../../scorers/guard.ts';
import { type Scorer, type Scorers, scorerMetrics } from '../../scorers/index.ts';
import { placeModel } from '../../scorers/place.ts';
import { processLimits } from '../../scorers/process-runtime.ts';
import { type FeatureSet, makeFeatureSet } from '../../stream/features/index.ts';
import { makeAdmission, makeRequestDecider, requestMetrics } from '../../stream/index.ts';
import type { StateStore } from '../../stream/state/index.ts';
import { startLab } from '../../tests/support/gateway.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { say, settingsOf, told } from '../shared/member.ts';
import { makeRandom } from '../shared/random.ts';
import { stateAt } from '../w1/worker.ts';
import { writeSetUp } from './set-up.ts';

export interface ServeSettings {
  readonly redis: string;
  readonly folder: string;
  readonly subjects: number;
}

/** What was decided in one span of time, by rung. */
export interface Tally {
  /** Unix milliseconds of its beginning. */
  readonly at: number;
  readonly rungs: Record<string, number>;
  unrecorded: number;
}

/** How long one span is. */
export const tallyMs = 250;
const partitions = 4;

/** The gateway and the request path of the product on a Redis, with a scorer that can be slowed down. */
const { redis, folder, subjects } = settingsOf<ServeSettings>();
const workspace = await writeSetUp(folder);
const features = makeFeatureSet(workspace);
const store = stateAt(redis);
await putSubjects(store, features);
const logger = silentLogger();
const state = { slowMs: 0 };
const decide = makeRequestDecider({
  workspace,
  features,
  store,
  scorers: await slowable(workspace),
  clock: systemClock,
  partitions,
  logger,
  admission: makeAdmission(),
  metrics: requestMetrics(new Registry()),
});
const tallies: Tally[] = [];
const lab = await startLab({
  store,
  workspace,
  features,
  decide: async (request) => {
    const records = await decide(request);
    for (const record of records) note(record);
    return records;
  },
});
const { secret } = await lab.keysOf('acme');
await say({ say: 'ready', address: lab.address, key: secret });
void listen();
await told('end');
const { user, system } = process.cpuUsage();
await say({ say: 'done', tallies, cpuSeconds: (user + system) / 1e6 });
process.exit(0);

/** `slow` and `quick` change the scorer from then on. */
async function listen(): Promise<void> {
  for (;;) {
    state.slowMs = Number((await told('slow')).ms);
    await say({ say: 'slowed' });
  }
}

function note({ rung, rungReason, recorded }: DecisionRecord): void {
  const at = Math.floor(Date.now() / tallyMs) * tallyMs;
  let tally = tallies.at(-1);
  if (tally?.at !== at) {
    tally = { at, rungs: {}, unrecorded: 0 };
    tallies.push(tally);
  }
  const key = rung === 'champion' ? rung : `${rung}: ${rungReason}`;
  tally.rungs[key] = (tally.rungs[key] ?? 0) + 1;
  if (!recorded) tally.unrecorded += 1;
}

/** As `loadScorers` puts them together, with a delay below breaker and deadline. */
async function slowable({ models }: CompiledWorkspace): Promise<Scorers> {
  const scorers = new Map<string, Scorer>();
  const parts = { clock: systemClock, logger: silentLogger(), metrics: scorerMetrics(new Registry()) };
  for (const model of models.values()) {
    const { scorer } = await placeModel(model, processLimits);
    const slowed: Scorer = {
      ...scorer,
      async score(rows, count, withinMs) {
        if (state.slowMs > 0) await pause(state.slowMs);
        return scorer.score(rows, count, withinMs);
      },
    };
    scorers.set(model.id, guarded(batched(slowed, systemClock), parts));
  }
  return { get: (id) => scorers.get(id), close: async () => {} };
}

async function putSubjects(into: StateStore, set: FeatureSet): Promise<void> {
  await into.saveLayout(set.layout, set.layoutDescription);
  const random = makeRandom(3);
  const blobs: [string, Uint8Array][][] = Array.from({ length: partitions }, () => []);
  const now = Date.now();
  for (let subject = 0; subject < subjects; subject++) {
    const subjectState = set.empty();
    for (let n = 0; n < 20; n++)
      set.update(
        subjectState,
        {
          id: `e${n}`,
          type: 'view',
          time: now - Math.floor(random() * 36_000_000),
          session: 's',
          properties: { price: Math.floor(random() * 100) },
        },
        n,
      );
    const key = `u:${subject}`;
    blobs[partitionOf(rawIdOf(asSubjectId(key)), partitions)]?.push([
      `acme:${key}`,
      set.encode(subjectState),
    ]);
  }
  for (const [partition, all] of blobs.entries()) {
    let { commitId } = await into.head(partition);
    for (let from = 0; from < all.length; from += 1_000) {
      const id = `put-${partition}-${from}`;
      const position = from + 1;
      await into.commit(partition, {
        previous: commitId,
        id,
        position,
        blobs: all.slice(from, from + 1_000),
        partitionState: null,
        outbox: [],
      });
      commitId = id;
    }
  }
}
