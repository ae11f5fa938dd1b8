// One Kafka broker for tests and benchmarks: KRaft, broker and controller in one process, on loopback.
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fetchKafka, writeFormatted } from './distribution.mjs';

const clusterId = 'cHJlc2FnZS10ZXN0LTAwMQ';
const startWithinMs = 240_000;
/** Says 'Kafka Server started' when the broker takes requests. */
const readyLogger = 'kafka.server.KafkaRaftServer';

/**
 * Starts a broker on the data in `folder`, formatted first where it is empty. Resolves when it takes requests; throws
 * with the end of its log when it does not come up.
 */
export async function startBroker({ folder, port, heapMb = 384, settings = {}, quick = true }) {
  const { libs } = distribution();
  const data = join(folder, 'data');
  const configuration = join(folder, 'server.properties');
  const logFile = join(folder, 'broker.log');
  const isNew = mkdirSync(data, { recursive: true }) !== undefined;
  const ports = { broker: port ?? (await freePort()), controller: await freePort() };
  writeFileSync(configuration, properties(data, ports, settings));
  if (isNew) writeFormatted(data, (into) => format(libs, configuration, data, into));

  const out = openSync(logFile, 'a');
  const begun = readFileSync(logFile).length;
  const child = spawn('java', [...jvm(heapMb, quick), '-cp', libs, 'kafka.Kafka', configuration], {
    stdio: ['ignore', out, out],
  });
  closeSync(out);
  // No broker outlives the process that started it, however that ends by itself.
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  ended.then(() => process.removeListener('exit', killWithUs));
  const signal = (name) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(name);
  };

  const deadline = Date.now() + startWithinMs;
  for (;;) {
    const output = readFileSync(logFile, 'utf8').slice(begun);
    if (output.includes('Kafka Server started')) break;
    const isGone = child.exitCode !== null || child.signalCode !== null;
    if (isGone || Date.now() > deadline) {
      signal('SIGKILL');
      throw new Error(`The Kafka broker did not start:\n${output.slice(-3_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    address: `127.0.0.1:${ports.broker}`,
    port: ports.broker,
    pid: child.pid,
    logFile,
    async stop() {
      signal('SIGTERM');
      const patience = setTimeout(() => signal('SIGKILL'), 20_000);
      await ended;
      clearTimeout(patience);
    },
    async kill() {
      signal('SIGKILL');
      await ended;
    },
  };
}

function distribution() {
  const folder = fetchKafka();
  return { libs: join(folder, 'libs', '*') };
}

/** Small, and compiled by the quick compiler only unless speed is what is measured. */
function jvm(heapMb, quick) {
  return [
    `-Xms${Math.min(heapMb, 128)}m`,
    `-Xmx${heapMb}m`,
    '-XX:+UseSerialGC',
    ...(quick ? ['-XX:TieredStopAtLevel=1'] : []),
    '-Xshare:auto',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    `-Dorg.slf4j.simpleLogger.log.${readyLogger}=info`,
  ];
}

function properties(data, ports, settings) {
  const all = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    listeners: `PLAINTEXT://127.0.0.1:${ports.broker},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.broker}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'log.dirs': data,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'background.threads': 2,
    'num.recovery.threads.per.data.dir': 1,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'auto.create.topics.enable': false,
    'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
    'log.cleaner.io.buffer.size': 64 * 1024,
    // Files of a topic are set aside at their full size: many small topics would fill a disk.
    'log.index.size.max.bytes': 1024 * 1024,
    ...settings,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function format(libs, configuration, data, into) {
  const scratch = `${configuration}.format`;
  writeFileSync(
    scratch,
    readFileSync(configuration, 'utf8').replace(`log.dirs=${data}\n`, `log.dirs=${into}\n`),
  );
  const { status, stdout, stderr } = spawnSync(
    'java',
    ['-Xmx128m', '-cp', libs, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', scratch],
    { encoding: 'utf8', timeout: 240_000 },
  );
  if (status !== 0) throw new Error(`Formatting the broker's folder failed:\n${stdout}${stderr}`);
}

/**
 * Below what systems hand out to connections (from 32768 on Linux), one of which could else take it before its owner
 * listens, or while a server that was killed is started again.
 */
export async function freePort() {
  for (;;) {
    const port = 20_000 + randomInt(12_000);
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
