import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestKafka, type TestKafka } from './kafka.ts';

export interface SecureKafka extends TestKafka {
  /** PEM file of the broker's own, self-signed certificate. */
  readonly certificate: string;
  /** PEM file of another one, of the same name. */
  readonly otherCertificate: string;
  readonly username: string;
  readonly password: string;
}

const username = 'presage';
const password = 'a word: "quoted", and spaces';
const storePassword = 'keystore';

/** A broker that talks TLS only, and only to who knows the password (SASL/PLAIN). */
export async function startSecureKafka(): Promise<SecureKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'presage-test-tls-'));
  const { keystore, certificate } = selfSigned(folder, 'broker');
  const { certificate: otherCertificate } = selfSigned(folder, 'other');
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
  // Twice: once for the properties file, once for the quotes of JAAS.
  const written = password.replaceAll('"', '\\\\"');
  const broker = await startTestKafka({
    settings: {
      'listener.security.protocol.map': 'PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT',
      'sasl.enabled.mechanisms': 'PLAIN',
      'sasl.mechanism.inter.broker.protocol': 'PLAIN',
      'listener.name.plaintext.plain.sasl.jaas.config': `${login} username="${username}" password="${written}" user_${username}="${written}";`,
      'ssl.keystore.type': 'PKCS12',
      'ssl.keystore.location': keystore,
      'ssl.keystore.password': storePassword,
      'ssl.truststore.type': 'PKCS12',
      'ssl.truststore.location': keystore,
      'ssl.truststore.password': storePassword,
    },
  });
  return {
    get address() {
      return broker.address;
    },
    get pid() {
      return broker.pid;
    },
    kill: () => broker.kill(),
    restart: () => broker.restart(),
    certificate,
    otherCertificate,
    username,
    password,
    async stop() {
      await broker.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** `keytool` is wherever Java is, and Kafka needs Java. */
function selfSigned(folder: string, name: string): { keystore: string; certificate: string } {
  const keystore = join(folder, `${name}.p12`);
  const certificate = join(folder, `${name}.pem`);
  const store = ['-alias', name, '-keystore', keystore, '-storetype', 'PKCS12', '-storepass', storePassword];
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '2', '-dname', 'CN=localhost'];
  const run = (...args: string[]): string =>
    execFileSync('keytool', args, { encoding: 'utf8', stdio: 'pipe' });
  run('-genkeypair', ...store, ...key, '-ext', 'SAN=ip:127.0.0.1,dns:localhost');
  writeFileSync(certificate, run('-exportcert', '-rfc', ...store));
  return { keystore, certificate };
}
