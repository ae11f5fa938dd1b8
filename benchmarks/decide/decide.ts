import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Member, startMember } from '../shared/member.ts';
import { withBenchRedis } from '../shared/redis.ts';
import { circumstances, publish } from '../shared/results.ts';
import { trust, verdict } from '../shared/verdict.ts';
import type { AskReport } from './ask.ts';
import type { Tally } from './serve.ts';

/**
 * POST /v1/decide in an open loop: first set-up with the model, over HTTP, with caps and outbox in a Redis that writes
 * before it replies. Then with the scorer slowed down, and with Redis stopped; after each until it is well again.
 */
const { values: options } = parseArgs({
  options: {
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    fault: { type: 'string', default: '8' },
    after: { type: 'string', default: '12' },
    subjects: { type: 'string', default: '20000' },
    print: { type: 'boolean', default: false },
  },
});
const [perSecond, seconds, fault, subjects] = [
  options.rate,
  options.seconds,
  options.fault,
  options.subjects,
].map(Number) as [number, number, number, number];
const deadlineMs = 50;
const afterSeconds = Number(options.after);
const folder = mkdtempSync(join(tmpdir(), 'presage-decide-'));

interface Phase {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly report: AskReport;
}

async function run(asker: Member, name: string, length: number): Promise<Phase> {
  const from = Date.now();
  asker.tell({ say: 'phase', seconds: length });
  const report = (await asker.heard('asked')).report as AskReport;
  return { name, from, to: Date.now(), report };
}

/** By rung, the share of what was decided in a phase. */
function sharesOf({ from, to }: Pick<Phase, 'from' | 'to'>, tallies: readonly Tally[]): Map<string, number> {
  const sums = new Map<string, number>();
  let all = 0;
  for (const { at, rungs } of tallies) {
    if (at < from || at > to) continue;
    for (const [rung, count] of Object.entries(rungs)) {
      sums.set(rung, (sums.get(rung) ?? 0) + count);
      all += count;
    }
  }
  return new Map([...sums].sort((a, b) => b[1] - a[1]).map(([rung, count]) => [rung, count / all]));
}

/** Seconds from the beginning of a phase until 99% of what is decided is the champion's, and stays so. */
function wellAfter({ from, to }: Phase, tallies: readonly Tally[]): number {
  let last = from;
  for (const { at, rungs, unrecorded } of tallies) {
    if (at < from || at > to) continue;
    const all = Object.values(rungs).reduce((sum, count) => sum + count, 0);
    if ((rungs.champion ?? 0) < all * 0.99 || unrecorded > 0) last = at + 250;
  }
  return (last - from) / 1_000;
}

const ms = (value: number): string => value.toFixed(1);
const percent = (share: number): string => `${(share * 100).toFixed(share > 0.99 && share < 1 ? 2 : 1)}%`;

try {
  await withBenchRedis('always', async (redis) => {
    const server = startMember('serve', { redis: redis.url, folder, subjects });
    const { address, key } = await server.heard('ready');
    const asker = startMember('ask', { address, key, perSecond, subjects, deadlineMs });
    await asker.heard('ready');
    const slow = async (by: number): Promise<void> => {
      server.tell({ say: 'slow', ms: by });
      await server.heard('slowed');
    };
    await run(asker, 'warm-up', 5);
    const healthy = await run(asker, 'healthy', seconds);
    await slow(200);
    const slowed = await run(asker, 'scorer slowed to 200 ms', fault);
    await slow(0);
    const afterSlow = await run(asker, 'after it', afterSeconds);
    process.kill(redis.pid, 'SIGSTOP');
    let stalled: Phase;
    try {
      stalled = await run(asker, 'Redis stopped', fault);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
    const afterStall = await run(asker, 'after it', afterSeconds);
    server.tell({ say: 'end' });
    const { tallies, cpuSeconds } = (await server.heard('done')) as unknown as {
      tallies: Tally[];
      cpuSeconds: number;
    };
    await asker.stop();
    await server.stop();

    const phases = [healthy, slowed, afterSlow, stalled, afterStall];
    const rows = phases.map((phase) => {
      const { report } = phase;
      const shares = [...sharesOf(phase, tallies)]
        .slice(0, 4)
        .map(([rung, share]) => `${rung} ${percent(share)}`);
      const { fromIntended: times } = report;
      return `| ${phase.name} | ${report.asked.toLocaleString('en-US')} | ${ms(times.p50)} | ${ms(times.p99)} | ${ms(times.p999)} | ${ms(report.fromSent.p99)} | ${percent(report.inTime)} | ${percent(report.shown / report.asked)} | ${percent(report.unrecorded / report.asked)} | ${shares.join(', ')} | ${Object.entries(
        report.statuses,
      )
        .map(([status, count]) => `${status}: ${count}`)
        .join(', ')} |`;
    });
    const champion = sharesOf(healthy, tallies).get('champion') ?? 0;
    const bars = [
      {
        what: 'p99 at the rate, healthy',
        value: healthy.report.fromIntended.p99,
        target: 5,
        least: 15,
        unit: ' ms',
        better: 'lower' as const,
      },
      {
        what: 'champion rung, healthy',
        value: champion * 100,
        target: 99,
        least: 99,
        unit: '%',
        better: 'higher' as const,
      },
      ...[slowed, stalled].map((phase) => ({
        what: `answers within the deadline and 5 ms, ${phase.name}`,
        value: phase.report.inTime * 100,
        target: 99.9,
        least: 99.9,
        unit: '%',
        better: 'higher' as const,
      })),
      ...(
        [
          ['the scorer', afterSlow],
          ['Redis', afterStall],
        ] as const
      ).map(([what, phase]) => ({
        what: `well again after the fault of ${what}`,
        value: wellAfter(phase, tallies),
        target: 10,
        least: 10,
        unit: ' s',
        better: 'lower' as const,
      })),
    ];
    const text = [
      `${perSecond.toLocaleString('en-US')} requests/s, open loop, one placement each, deadline ${deadlineMs} ms, ${subjects.toLocaleString('en-US')} known subjects, first set-up with the model. The gateway's process took ${cpuSeconds.toFixed(0)} CPU-s in all, its start included.`,
      '',
      '| | requests | p50 ms | p99 | p99.9 | p99 from the real send | within 55 ms | something to show | not recorded | rungs | statuses |',
      '|---|---|---|---|---|---|---|---|---|---|---|',
      ...rows,
      '',
      "Times are from the intended send time, so what the generator is late counts; the share within 55 ms is of the real one. Well again: from the fault's end on, the last quarter of a second in which the champion gave less than 99% or something was not recorded is over.",
      '',
      ...bars.map(verdict),
      '',
      trust(),
      '',
      circumstances('always'),
    ].join('\n');
    publish('decide', text, !options.print);
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
