import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMember } from '../shared/member.ts';
import { withBenchRedis } from '../shared/redis.ts';
import { circumstances, publish } from '../shared/results.ts';
import { trust, verdict } from '../shared/verdict.ts';
import { w1 } from '../w1/events.ts';
import { eventsInMemory } from '../w1/memory-events.ts';
import { finalState } from '../w1/vectors.ts';
import { benchWorker } from '../w1/worker.ts';
import type { ReadReport } from './read.ts';

/**
 * Features of 1 and of 100 subjects, 20 features each, through the product's reader straight from Redis. The state is
 * W1's, made by the real worker.
 */
const { values: options } = parseArgs({
  options: {
    events: { type: 'string', default: String(w1.events) },
    reads: { type: 'string', default: '5000' },
    print: { type: 'boolean', default: false },
  },
});
const count = Number(options.events);
const folder = mkdtempSync(join(tmpdir(), 'presage-reads-'));

async function makeState(redis: string): Promise<Map<string, string>> {
  const { log, ends, vectors } = await eventsInMemory(count);
  const { role, store, done } = await benchWorker(log, redis, ends);
  await role.start();
  await done;
  await role.stop();
  await store.close();
  return vectors;
}

try {
  await withBenchRedis('always', async (redis) => {
    const vectors = await makeState(redis.url);
    const file = join(folder, 'vectors.json');
    writeFileSync(file, JSON.stringify(Object.fromEntries(vectors)));
    const { blobBytes } = await finalState(redis.url);
    const rows: string[] = [];
    const bars: string[] = [];
    for (const subjects of [1, 100]) {
      const settings = { redis: redis.url, vectors: file, subjects, reads: Number(options.reads) };
      const member = startMember('read', settings);
      const { ms, firstMs, reads } = (await member.heard('done')).report as ReadReport;
      await member.stop();
      const target = subjects === 1 ? 1 : 2;
      bars.push(
        verdict({
          what: `p99 of ${subjects}`,
          value: ms.p99,
          target,
          least: target,
          unit: ' ms',
          better: 'lower',
        }),
      );
      const figures = [ms.p50, ms.p90, ms.p99, ms.p999, ms.max, firstMs].map((value) => value.toFixed(2));
      rows.push(`| ${subjects} | ${figures.join(' | ')} | ${reads.toLocaleString('en-US')} |`);
    }
    const text = [
      `Milliseconds from the question to the values of 20 features a subject, ${vectors.size.toLocaleString('en-US')} users after ${count.toLocaleString('en-US')} events of W1 (blobs p50 ${blobBytes.p50}, p99 ${blobBytes.p99}, max ${blobBytes.max} bytes), users drawn evenly, one read after the other.`,
      '',
      '| subjects a read | p50 | p90 | p99 | p99.9 | max | first read of the process | reads |',
      '|---|---|---|---|---|---|---|---|',
      ...rows,
      '',
      'The process was warmed up for half a second on made-up state in memory, as the product is at its start. Nothing is cached: each read asks Redis, over a socket of the same machine, and decodes the blobs. All values that were read equal the batch reference.',
      '',
      ...bars,
      '',
      trust(),
      '',
      circumstances('always'),
    ].join('\n');
    publish('reads', text, !options.print);
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
