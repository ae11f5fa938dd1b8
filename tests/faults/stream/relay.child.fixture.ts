import { Registry } from 'prom-client';
import { makeRelay, relayReader } from '../../../stream/identity/index.ts';
import { type EventLog, redisStreamsLog } from '../../../stream/log/index.ts';
import { redisConnector } from '../../../stream/redis/index.ts';
import { redisState, type StateStore } from '../../../stream/state/index.ts';
import { clock, consoleLogger } from './life.ts';
import type { RelayLife } from './relay-life.ts';

/**
 * A relay in a process of its own, which kills itself (as `kill -9` does) at a named point between reading an entry of
 * the outbox and acknowledging it, or ends once everything is relayed.
 */
const life = JSON.parse(process.argv[2] ?? '{}') as RelayLife;
const logger = consoleLogger();
const connector = redisConnector(life.redis);
const log: EventLog = await redisStreamsLog({ connector, version: 1, partitions: life.partitions, clock });
const store = redisState({ connector, version: 1, clock });

let left = life.dieAt?.after ?? 0;
const isTime = (point: string): boolean => life.dieAt?.point === point && --left === 0;
const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
};

const mortalStore: StateStore = {
  ...store,
  async saveReaderState(...position) {
    if (isTime('before the acknowledgement')) await die();
    await store.saveReaderState(...position);
    if (isTime('after the acknowledgement')) await die();
  },
};

const relay = makeRelay({
  log: {
    partitions: log.partitions,
    async append(...records) {
      if (isTime('before the append')) await die();
      const isDuring = isTime('during the append');
      const sent = log.append(...records);
      if (isDuring) {
        // Sent, and gone before the answer comes.
        setImmediate(() => void die());
        return sent.then(() => new Promise(() => {}));
      }
      return sent;
    },
  },
  store: mortalStore,
  clock,
  logger,
  registry: new Registry(),
});

async function isDone(): Promise<boolean> {
  for (let partition = 0; partition < life.partitions; partition++) {
    const { end } = await store.outboxRange(partition);
    const saved = JSON.parse((await store.readerState(partition, relayReader)) ?? '{}') as {
      position?: number;
    };
    if (end > 0 && (saved.position ?? 0) < end) return false;
  }
  return true;
}

await relay.start();
while (!(await isDone())) await new Promise((wake) => setTimeout(wake, 20));
await relay.stop();
await log.close();
await store.close();
process.exit(0);
