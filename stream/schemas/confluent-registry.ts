import { Agent } from 'node:https';
// Its root would load the key services of three clouds as well.
import {
  type Client,
  type Compatibility,
  type Reference,
  SchemaRegistryClient,
} from '@confluentinc/schemaregistry/dist/schemaregistry-client.js';
import { messageOf, PresageError } from '../../core/index.ts';
import type { RegisteredSchema, RegisteredVersion, SchemaRegistry } from './registry.ts';

export interface RegistrySettings {
  /** One address or several, separated by commas. */
  readonly url: string;
  /** `user:password` for basic authentication. */
  readonly userInfo?: string | undefined;
  /** TLS: certificates to trust, and the client's own, as PEM. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
  readonly timeoutMs?: number;
  readonly retries?: number;
}

/** How many schemas a caller may refer to, and how deep: a registry's mistake must not load for ever. */
const mostReferences = 64;

/** A Confluent-compatible registry through Confluent's own client, which fetches, retries and caches. */
export function confluentRegistry(settings: RegistrySettings): SchemaRegistry {
  const { userInfo, tls } = settings;
  // Its ids don't last and its compatibility calls are not there: of no use but in tests.
  if (settings.url.startsWith('mock:'))
    throw new PresageError('usage', 'mock:// is no schema registry: name one with http:// or https://.');
  const client = SchemaRegistryClient.newClient({
    baseURLs: settings.url.split(',').map((url) => url.trim().replace(/\/$/, '')),
    cacheCapacity: 1_000,
    maxRetries: settings.retries ?? 2,
    retriesWaitMs: 200,
    retriesMaxWaitMs: 2_000,
    createAxiosDefaults: {
      timeout: settings.timeoutMs ?? 5_000,
      ...(tls === undefined ? {} : { httpsAgent: new Agent({ ...tls, keepAlive: true }) }),
    },
    ...(userInfo === undefined ? {} : { basicAuthCredentials: { credentialsSource: 'USER_INFO', userInfo } }),
  });
  const ask = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw registryError(settings.url, what, error);
    }
  };
  return {
    async schemaById(id) {
      try {
        // Ids are the registry's own, whatever the subject.
        const info = await client.getBySubjectAndId('', id);
        const references = await referencesOf(client, info.references ?? [], new Map());
        return { type: typeOf(info.schemaType), text: info.schema, references } satisfies RegisteredSchema;
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw registryError(settings.url, `asking for schema ${id}`, error);
      }
    },
    register: (subject, schema) =>
      ask(`registering ${subject}`, () => client.register(subject, { schemaType: 'JSON', schema }, false)),
    async versions(subject) {
      try {
        const numbers = await client.getAllVersions(subject);
        const versions: RegisteredVersion[] = [];
        for (const version of numbers.sort((a, b) => a - b)) {
          const { schema } = await client.getSchemaMetadata(subject, version, false);
          versions.push({ version, text: schema });
        }
        return versions;
      } catch (error) {
        if (statusOf(error) === 404) return [];
        throw registryError(settings.url, `asking for the versions of ${subject}`, error);
      }
    },
    isCompatible: (subject, schema) =>
      ask(`checking ${subject}`, () =>
        client.testSubjectCompatibility(subject, { schemaType: 'JSON', schema }),
      ),
    setCompatibility: (subject, level) =>
      ask(`setting the level of ${subject}`, async () => {
        await client.updateCompatibility(subject, level as Compatibility);
      }),
  };
}

async function referencesOf(
  client: Client,
  references: readonly Reference[],
  found: Map<string, string>,
): Promise<ReadonlyMap<string, string>> {
  for (const { name, subject, version } of references) {
    if (found.has(name)) continue;
    if (found.size >= mostReferences)
      throw new Error(`a schema refers to more than ${mostReferences} others`);
    const referred = await client.getSchemaMetadata(subject, version, true);
    found.set(name, referred.schema);
    await referencesOf(client, referred.references ?? [], found);
  }
  return found;
}

/** A registry leaves the type out for Avro. */
function typeOf(type: string | undefined): RegisteredSchema['type'] {
  return type === 'JSON' || type === 'PROTOBUF' ? type : 'AVRO';
}

const statusOf = (error: unknown): number | null => {
  const status = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : null;
  return typeof status === 'number' ? status : null;
};

function registryError(url: string, what: string, error: unknown): PresageError {
  const place = `The schema registry at ${withoutSecrets(url)}`;
  const status = statusOf(error);
  const fail = (code: string, message: string, retriable = false) =>
    new PresageError(code, message, { retriable, cause: error });
  if (status === 401 || status === 403) {
    return fail(
      'registry_refused',
      `${place} refused the credentials (${status}) ${what}: set SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO.`,
    );
  }
  if (status === 409)
    return fail('schema_incompatible', `${place} refused the schema ${what}: ${messageOf(error)}`);
  if (status === null || status >= 500 || status === 408 || status === 429) {
    return fail('registry_unavailable', `${place} does not answer ${what}: ${messageOf(error)}`, true);
  }
  return fail('registry_failed', `${place} answered ${status} ${what}: ${messageOf(error)}`);
}

const withoutSecrets = (url: string): string => url.replace(/\/\/[^/@]*@/g, '//');
