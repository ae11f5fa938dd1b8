import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnvironment } from '../environment.ts';
import { logTopic, openRegistry } from './registry.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl)
  console.warn('NOT TESTED: a registry behind TLS, since there is no openssl to make a certificate.');

describe('the registry that the environment names', () => {
  it('has to be named somewhere', () => {
    expect(() => openRegistry(readEnvironment({}))).toThrow('Set SCHEMA_REGISTRY_URL');
  });

  it('names its files when they are not there', () => {
    const environment = readEnvironment({
      SCHEMA_REGISTRY_URL: 'https://x',
      SCHEMA_REGISTRY_SSL_CA_LOCATION: '/none.pem',
    });
    expect(() => openRegistry(environment)).toThrow('/none.pem could not be read');
  });

  it('knows three ways to name subjects', () => {
    const strategy = (name: string) =>
      readEnvironment({ SCHEMA_REGISTRY_SUBJECT_STRATEGY: name }).schemaRegistry.strategy;
    expect(strategy('')).toBe('TopicRecordNameStrategy');
    expect(strategy('RecordNameStrategy')).toBe('RecordNameStrategy');
    expect(() => strategy('Topic')).toThrow('expected one of TopicRecordNameStrategy');
  });

  it('names subjects after the topic of the log', () => {
    expect(logTopic(readEnvironment({}))).toBe('presage.events.v1');
    expect(logTopic(readEnvironment({ KAFKA_BROKERS: 'a:1', KAFKA_TOPIC_PREFIX: 'shop.' }))).toBe(
      'shop.events.v1',
    );
  });

  describe.skipIf(!hasOpenssl)('behind TLS', () => {
    let folder: string;
    let server: Server;
    let url: string;
    let credentials: string | undefined;
    let client: string | undefined;
    const file = (name: string): string => join(folder, name);
    function makeCertificate(name: string): void {
      const made = spawnSync('openssl', [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        file(`${name}.key`),
        '-out',
        file(`${name}.pem`),
      ]);
      if (made.status !== 0) throw new Error(made.stderr.toString());
    }
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'presage-tls-'));
      makeCertificate('registry');
      makeCertificate('presage');
      const options = {
        key: readFileSync(file('registry.key')),
        cert: readFileSync(file('registry.pem')),
        ca: readFileSync(file('presage.pem')),
        requestCert: true,
        rejectUnauthorized: false,
      };
      server = createServer(options, (request, response) => {
        credentials = request.headers.authorization;
        client = String((request.socket as TLSSocket).getPeerCertificate().subject?.CN);
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"schema":"{}","schemaType":"JSON"}');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    });

    it('is trusted by its certificate, and told ours and the credentials', async () => {
      const environment = readEnvironment({
        SCHEMA_REGISTRY_URL: url,
        SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO: 'ann:secret',
        SCHEMA_REGISTRY_SSL_CA_LOCATION: file('registry.pem'),
        SCHEMA_REGISTRY_SSL_CERTIFICATE_LOCATION: file('presage.pem'),
        SCHEMA_REGISTRY_SSL_KEY_LOCATION: file('presage.key'),
      });
      expect(await openRegistry(environment).schemaById(1)).toMatchObject({ text: '{}' });
      expect(credentials).toBe(`Basic ${Buffer.from('ann:secret').toString('base64')}`);
      expect(client).toBe('presage');
    });

    it('is not trusted without', async () => {
      const environment = readEnvironment({ SCHEMA_REGISTRY_URL: url });
      await expect(openRegistry(environment).schemaById(1)).rejects.toMatchObject({
        code: 'registry_unavailable',
        message: expect.stringContaining('self-signed'),
      });
    });
  });
});
