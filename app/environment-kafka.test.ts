import { mkdtempSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readKafka } from './environment-kafka.ts';

describe('Kafka in the environment', () => {
  it('is not the log where no brokers are named', () => {
    expect(readKafka({})).toBeNull();
    expect(readKafka({ KAFKA_BROKERS: ' ' })).toBeNull();
  });

  it('needs no more than the brokers', () => {
    expect(readKafka({ KAFKA_BROKERS: 'a:9092, b:9093' })).toEqual({
      connection: { brokers: ['a:9092', 'b:9093'] },
      prefix: 'presage.',
      topic: {},
    });
  });

  it('hands on TLS and SASL as they are', async () => {
    const ca = join(mkdtempSync(join(tmpdir(), 'presage-ca-')), 'ca.pem');
    await writeFile(ca, 'certificates');
    const read = readKafka({
      KAFKA_BROKERS: 'a:9093',
      KAFKA_TLS_CA: ca,
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_SASL_USERNAME: 'presage',
      KAFKA_SASL_PASSWORD: 'word',
      KAFKA_REPLICATION_FACTOR: '3',
      KAFKA_RETENTION_HOURS: '24',
      KAFKA_RETENTION_BYTES: '1000000',
    });
    expect(read?.connection).toEqual({
      brokers: ['a:9093'],
      ssl: { ca: 'certificates' },
      sasl: { mechanism: 'scram-sha-512', username: 'presage', password: 'word' },
    });
    expect(read?.topic).toEqual({ replicationFactor: 3, retentionMs: 86_400_000, retentionBytes: 1_000_000 });
    expect(readKafka({ KAFKA_BROKERS: 'a:9093', KAFKA_TLS: 'true' })?.connection.ssl).toBe(true);
  });

  it.each([
    [{ KAFKA_BROKERS: 'kafka' }, /KAFKA_BROKERS is "kafka".*host:port/],
    [{ KAFKA_BROKERS: 'a:1', KAFKA_TLS: 'yes' }, /KAFKA_TLS is "yes".*true or false/],
    [{ KAFKA_BROKERS: 'a:1', KAFKA_TLS_CA: '/nowhere.pem' }, /KAFKA_TLS_CA names \/nowhere.pem/],
    [{ KAFKA_BROKERS: 'a:1', KAFKA_SASL_MECHANISM: 'magic' }, /scram-sha-256/],
    [{ KAFKA_BROKERS: 'a:1', KAFKA_SASL_USERNAME: 'me' }, /KAFKA_SASL_PASSWORD/],
    [{ KAFKA_BROKERS: 'a:1', KAFKA_RETENTION_HOURS: 'long' }, /KAFKA_RETENTION_HOURS is "long"/],
  ])('tells what is wrong with %j', (env, message) => {
    expect(() => readKafka(env)).toThrow(message);
  });
});
