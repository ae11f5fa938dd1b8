import { clusterConnector, redisConnector } from '../../../stream/redis/index.ts';
import { type OutboxItem, redisState } from '../../../stream/state/index.ts';
import { type Limits, partitions, payloadOf, randomFrom, tenant, tryIn, workspaceOf } from './rules.ts';

/** What one process does; `seed` tells it from the others. */
export interface Orders {
  readonly url: string | readonly number[];
  readonly role: 'worker' | 'client';
  /** Of a worker. */
  readonly partition: number;
  readonly tries: number;
  readonly seed: number;
  readonly limits: Limits;
  /** It kills itself after so many tries, with whatever it has leased. */
  readonly dieAfter?: number;
}

const orders = JSON.parse(process.argv[2] ?? '{}') as Orders;
const connector =
  typeof orders.url === 'string'
    ? redisConnector(orders.url)
    : clusterConnector(orders.url.map((port) => ({ host: '127.0.0.1', port })));
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
// A process that gets no turn for a while is slow, not gone.
const store = redisState({ connector, version: 1, clock, patienceMs: 120_000, commandTimeoutMs: 60_000 });
const workspace = await workspaceOf(orders.limits);
const random = randomFrom(orders.seed);
const perCommit = 20;
const atOnce = 4;

/** A partition's only worker: each commit names the one before it. */
async function work(): Promise<void> {
  let { commitId, position } = await store.head(orders.partition);
  for (let done = 0; done < orders.tries; done += perCommit) {
    const outbox = Array.from({ length: Math.min(perCommit, orders.tries - done) }, (): OutboxItem => {
      const one = tryIn(workspace, orders.partition, random);
      const { subject, choices } = one;
      return { kind: 'decision', tenant, subject, choices, payload: payloadOf(one) };
    });
    const id = `${orders.seed}-${done}`;
    position += 1;
    const commit = { previous: commitId, id, position, blobs: [], partitionState: null, outbox };
    const outcome = await store.commit(orders.partition, commit);
    if (outcome.kind !== 'committed') throw new Error('Another worker has this partition.');
    commitId = id;
    if (done + outbox.length === orders.dieAfter) process.kill(process.pid, 'SIGKILL');
  }
}

async function ask(): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < orders.tries) {
      const number = next++;
      const partition = Math.floor(random() * partitions);
      const wanted = tryIn(workspace, partition, random);
      await store.request(partition, {
        idempotencyKey: `${orders.seed}-${number}`,
        tenant,
        subject: wanted.subject,
        choices: wanted.choices,
        payload: payloadOf(wanted),
        keepMs: 600_000,
      });
      if (number === orders.dieAfter) process.kill(process.pid, 'SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

await (orders.role === 'worker' ? work() : ask());
process.stdout.write('done\n');
await store.close();
