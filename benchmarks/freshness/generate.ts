import type { EventLog, NewRecord } from '../../stream/log/index.ts';
import { sharedNow } from '../shared/clock.ts';
import { say, settingsOf, told } from '../shared/member.ts';
import { w1Log } from '../w1/fill.ts';
import { quantile } from '../w1/measure.ts';
import { intendedAt, type Load, loadEvents, rehearsalSeconds } from './load.ts';

export interface GeneratorReport {
  readonly sent: number;
  /** Events given to the producer later than they should have been by more than `missMs`. */
  readonly missed: number;
  readonly missMs: number;
  readonly worstLateMs: number;
  /** From the intended send time until Kafka has the event, by call. */
  readonly appendMs: { readonly p50: number; readonly p99: number };
  /** Next offset of each partition after all of them. */
  readonly ends: readonly number[];
}

/**
 * Sends each event at its time, whatever became of those before it (open loop): a system that is slow gets them all the
 * same. Timers of Node are good to about a millisecond, so what is due goes together.
 */
const missMs = 5;
const { broker, prefix, load } = settingsOf<{ broker: string; prefix: string; load: Load }>();
const log = await w1Log(broker, prefix);
const records: NewRecord[] = [];
for (const { partition, user, value } of await loadEvents(load))
  records.push({ partition, key: user, value });

/** Sends the records to this log from `startAt` on. */
async function play(log: EventLog, records: readonly NewRecord[], startAt: number): Promise<GeneratorReport> {
  let next = 0;
  let missed = 0;
  let worstLateMs = 0;
  const ends: number[] = new Array(log.partitions).fill(0);
  const inFlight: Promise<void>[] = [];
  const appendMs: number[] = [];

  async function send(some: readonly NewRecord[], first: number): Promise<void> {
    const offsets = await log.append(some);
    appendMs.push(sharedNow() - startAt - intendedAt(load, first));
    for (const [i, { partition }] of some.entries())
      ends[partition] = Math.max(ends[partition] ?? 0, (offsets[i] ?? 0) + 1);
  }

  await new Promise<void>((resolve) => {
    const pump = (): void => {
      const now = sharedNow() - startAt;
      const from = next;
      for (; next < records.length && intendedAt(load, next) <= now; next++) {
        const lateMs = now - intendedAt(load, next);
        if (lateMs > missMs) missed++;
        if (lateMs > worstLateMs) worstLateMs = lateMs;
      }
      if (next > from) inFlight.push(send(records.slice(from, next), from));
      if (next < records.length) setTimeout(pump, 1);
      else resolve();
    };
    pump();
  });
  await Promise.all(inFlight);
  appendMs.sort((a, b) => a - b);
  return {
    sent: records.length,
    missed,
    missMs,
    worstLateMs,
    appendMs: { p50: quantile(appendMs, 0.5), p99: quantile(appendMs, 0.99) },
    ends,
  };
}

const rehearsal = await w1Log(broker, `rehearsal-${prefix}`);
await rehearsal.append([]);
await play(rehearsal, records.slice(0, load.rate * Math.min(rehearsalSeconds, load.seconds)), sharedNow());
await rehearsal.close();
// The first append connects.
await log.append([]);
const begin = told('begin');
await say({ say: 'ready' });
const report = await play(log, records, (await begin).at as number);
await say({ say: 'done', report });
await log.close();
process.exit(0);
