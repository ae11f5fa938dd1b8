import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { type Broker, startBroker } from '../../scripts/kafka/broker.mjs';
import { whyNoKafka } from '../../scripts/kafka/distribution.mjs';

export interface TestKafka {
  /** host:port; the same after `restart`. */
  readonly address: string;
  /** The running broker's process id; another one after `restart`. */
  readonly pid: number;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

export interface TestKafkaOptions {
  readonly heapMb?: number;
  /** Lines of server.properties on top of scripts/kafka/broker.mjs's. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly quick?: boolean;
}

/** A fresh private broker with its data in a temporary folder. Its owner must `stop()` it. */
export async function startTestKafka(options: TestKafkaOptions = {}): Promise<TestKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'presage-test-kafka-'));
  let broker: Broker = await startBroker({ folder, ...options });
  return {
    get address() {
      return broker.address;
    },
    get pid() {
      return broker.pid;
    },
    kill: () => broker.kill(),
    async restart() {
      broker = await startBroker({ folder, port: broker.port, ...options });
    },
    async stop() {
      await broker.kill();
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

const missing = whyNoKafka();
const mustRun = process.env.CI === 'true';

/** `describe`, skipped with a loud line where Kafka can't run; in CI it runs, and fails there. */
export function describeWithKafka(name: string, body: () => void): void {
  if (missing === null || mustRun) {
    describe(name, body);
    return;
  }
  process.stderr.write(`presage: SKIPPING Kafka tests (${name}): ${missing}\n`);
  describe.skip(name, body);
}
