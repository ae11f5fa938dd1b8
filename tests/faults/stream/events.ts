import { PresageError, partitionOf } from '../../../core/index.ts';
import type { StoredEvent } from '../../../schemas/index.ts';
import type { EventLog, NewRecord } from '../../../stream/log/index.ts';
import { seededRandom } from '../../support/trivago.ts';

export interface EventsWanted {
  readonly count: number;
  readonly partitions: number;
  readonly seed?: number;
  /** Share of records that nobody can read. */
  readonly poison?: number;
}

const begun = Date.UTC(2026, 2, 3, 9);
const categories = ['shoes', 'bags', 'hats', 'coats', 'socks'];

/**
 * A seeded log of two tenants: 1% repeats, 3% out of order by up to a minute, 0.2% hours late, poison where wanted. Every
 * fourth event is a passer-by's, who comes for a few minutes and stays away for good; half of them name their session.
 */
export function* eventsOf({ count, partitions, seed = 11, poison = 0 }: EventsWanted): Generator<NewRecord> {
  const random = seededRandom(seed);
  const whole = (below: number): number => Math.floor(random() * below);
  const subjects = Math.max(20, Math.floor(count / 60));
  const recent: NewRecord[] = [];
  for (let i = 0; i < count; i++) {
    if (poison > 0 && random() < poison) {
      yield { partition: whole(partitions), key: 'poison', value: Buffer.from(`{"v":1,"broken":${i}`) };
      continue;
    }
    if (recent.length > 0 && random() < 0.01) {
      const repeated = recent[whole(recent.length)];
      if (repeated !== undefined) yield repeated;
      continue;
    }
    const isPassing = random() < 0.25;
    const user = isPassing ? `guest-${Math.floor(i / 400)}-${whole(20)}` : `user-${whole(subjects)}`;
    const session = isPassing && random() < 0.5 ? { session: `tab-${user}` } : {};
    const lateMs = random() < 0.002 ? 7_200_000 : random() < 0.03 ? whole(60_000) : 0;
    const drawn = random();
    const event: StoredEvent = {
      v: 1,
      id: `event-${seed}-${i}`,
      tenant: drawn < 0.5 ? 'acme' : 'bolt',
      type: ['view', 'view', 'view', 'click', 'purchase'][whole(5)] ?? 'view',
      userId: user,
      ...session,
      time: begun + i * 400 - lateMs,
      properties: {
        sku: `sku-${whole(300)}`,
        category: categories[whole(categories.length)],
        price: whole(40_000) / 100,
      },
      source: 'test',
    };
    const record = {
      partition: partitionOf(user, partitions),
      key: user,
      value: Buffer.from(JSON.stringify(event)),
    };
    recent.push(record);
    if (recent.length > 50) recent.shift();
    yield record;
  }
}

/** Appends them all, in order. */
export async function append(log: EventLog, wanted: EventsWanted): Promise<void> {
  let records: NewRecord[] = [];
  for (const record of eventsOf(wanted)) {
    records.push(record);
    if (records.length < 1_000) continue;
    await log.append(records);
    records = [];
  }
  await log.append(records);
}

export interface Feed {
  /** No more after this. */
  stop(): Promise<void>;
}

/** Appends them at a pace, for as long as it is not stopped; what the log could not take is tried again. */
export function feed(log: EventLog, wanted: EventsWanted, perSecond: number): Feed {
  const everyMs = 20;
  const records = eventsOf(wanted);
  let isStopped = false;
  async function run(): Promise<void> {
    const begun = performance.now();
    let sent = 0;
    while (!isStopped) {
      const due = Math.floor(((performance.now() - begun) / 1_000) * perSecond) - sent;
      const some: NewRecord[] = [];
      for (let i = 0; i < Math.min(due, 500); i++) {
        const next = records.next();
        if (next.done) return;
        some.push(next.value);
      }
      await untilAppended(log, some);
      sent += some.length;
      await new Promise((wake) => setTimeout(wake, everyMs));
    }
  }
  const running = run();
  return {
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

/** A repeat after an unknown outcome is one more repeat, which the worker recognises. */
async function untilAppended(log: EventLog, records: readonly NewRecord[]): Promise<void> {
  for (;;) {
    try {
      await log.append(records);
      return;
    } catch (error) {
      if (!(error instanceof PresageError && error.retriable)) throw error;
    }
  }
}
