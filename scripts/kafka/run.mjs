// `node scripts/kafka/run.mjs [folder] [port]`: a broker to try things with, until Ctrl+C. Without a folder its data is
// thrown away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker } from './broker.mjs';
import { whyNoKafka } from './distribution.mjs';

const missing = whyNoKafka();
if (missing !== null) {
  process.stderr.write(`presage: ${missing} On Debian: apt-get install openjdk-17-jre-headless maven\n`);
  process.exit(1);
}
const [given, port] = process.argv.slice(2);
const folder = given ?? mkdtempSync(join(tmpdir(), 'presage-kafka-'));
const broker = await startBroker({
  folder,
  quick: false,
  ...(port === undefined ? {} : { port: Number(port) }),
});
process.stdout.write(`KAFKA_BROKERS=${broker.address}\n`);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await broker.stop();
    if (given === undefined) rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
}
