import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithKafka } from '../support/kafka.ts';
import { makeHome, presage, root, startProgram } from '../support/program.ts';
import { type SecureKafka, startSecureKafka } from '../support/secure-kafka.ts';

const small = join(root, 'tests', 'workspaces', 'small');

describeWithKafka('Kafka behind TLS and SASL', () => {
  let broker: SecureKafka;
  beforeAll(async () => {
    broker = await startSecureKafka();
  });
  afterAll(() => broker?.stop());
  const settings = (changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
    KAFKA_BROKERS: broker.address,
    KAFKA_TLS_CA: broker.certificate,
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: broker.username,
    KAFKA_SASL_PASSWORD: broker.password,
    ...changes,
  });

  it('is written and read with the settings of the environment', async () => {
    const home = await makeHome(settings());
    try {
      const program = await startProgram(home, small);
      const file = join(home.folder, 'events.jsonl');
      const events = Array.from({ length: 60 }, (_, i) => ({
        id: `e${i}`,
        type: 'view',
        userId: `u${i % 7}`,
        time: 1_700_000_000_000 + i * 1_000,
        properties: { sku: 'x', price: 1 },
      }));
      await writeFile(file, events.map((event) => JSON.stringify(event)).join('\n'));
      const args = ['--port', String(home.port), '--data', home.data, '--tenant', 'acme', '--json'];
      const { out, err } = await presage(home, ['feed', file, ...args]).finished;
      if (out === '') throw new Error(err);
      expect(JSON.parse(out)).toMatchObject({ sent: 60, new: 60, dead: 0 });
      await program.stop();
    } finally {
      await home.remove();
    }
  });

  it.each([
    ['another password', { KAFKA_SASL_PASSWORD: 'guessed' }, /authentication/i],
    ['a certificate that is not trusted', { KAFKA_TLS_CA: 'other' }, /certificate/i],
  ])('refuses %s, and the start says so', async (_, changes: NodeJS.ProcessEnv, message) => {
    const other = changes.KAFKA_TLS_CA === 'other' ? { KAFKA_TLS_CA: broker.otherCertificate } : {};
    const home = await makeHome(settings({ ...changes, ...other }));
    try {
      const args = [
        'start',
        '--no-open',
        '--workspace',
        small,
        '--data',
        home.data,
        '--port',
        String(home.port),
      ];
      const { err, code } = await presage(home, args).finished;
      expect(err).toMatch(message);
      expect(err).not.toMatch(/\n\s+at /);
      expect(err).not.toContain(broker.password);
      expect(code).not.toBe(0);
    } finally {
      await home.remove();
    }
  });
});
