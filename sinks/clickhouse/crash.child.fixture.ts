import { Registry } from 'prom-client';
import { redisStreamsLog } from '../../stream/log/index.ts';
import { redisConnector } from '../../stream/redis/index.ts';
import { redisState } from '../../stream/state/index.ts';
import { quiet } from './history.fixture.ts';
import { makeSink, openEmbeddedWarehouse } from './index.ts';

/** A sink that kills its own process (as `kill -9` does) at one of its steps, before or after the step takes effect. */
const [url = '', folder = '', ends = '', dieAt = '', takesEffect = ''] = process.argv.slice(2);
const clock = { now: Date.now, monotonic: () => performance.now() };
const connector = redisConnector(url);
const log = await redisStreamsLog({ connector, version: 1, partitions: 2, clock });
const store = redisState({ connector, version: 1, clock });
const warehouse = await openEmbeddedWarehouse({ folder });

let left = Number(dieAt);
async function step<T>(work: () => Promise<T>): Promise<T> {
  left--;
  if (left !== 0) return work();
  if (takesEffect === 'after') await work();
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

const sink = makeSink({
  log,
  store: {
    ...store,
    saveReaderState: (...args) => step(() => store.saveReaderState(...args)),
  },
  warehouse: { ...warehouse, insert: (...args) => step(() => warehouse.insert(...args)) },
  clock,
  logger: quiet,
  registry: new Registry(),
  limits: { flushMs: 0, entries: 3 },
});
await sink.start();
await sink.untilPassed(ends.split(',').map(Number));
await sink.stop();
await warehouse.close();
await log.close();
await store.close();
process.stdout.write('drained\n');
process.exit(0);
