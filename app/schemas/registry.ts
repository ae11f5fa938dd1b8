import { readFileSync } from 'node:fs';
import { messageOf, PresageError } from '../../core/index.ts';
import { confluentRegistry, type SchemaRegistry } from '../../stream/schemas/index.ts';
import type { Environment } from '../environment.ts';

/** The Kafka topic of the log, which subjects are named after. */
export const logTopic = ({ kafka }: Environment, version = 1): string =>
  `${kafka?.prefix ?? 'presage.'}events.v${version}`;

/** The registry that the environment names, or `url`. Throws PresageError `usage` when neither does. */
export function openRegistry({ schemaRegistry }: Environment, url: string | null = null): SchemaRegistry {
  const address = url ?? schemaRegistry.url;
  if (address === null)
    throw new PresageError(
      'usage',
      'Which schema registry? Set SCHEMA_REGISTRY_URL, or name it with --registry URL.',
    );
  const { userInfo, ca, certificate, key } = schemaRegistry;
  const tls = {
    ...(ca === null ? {} : { ca: read(ca) }),
    ...(certificate === null ? {} : { cert: read(certificate) }),
    ...(key === null ? {} : { key: read(key) }),
  };
  return confluentRegistry({
    url: address,
    ...(userInfo === null ? {} : { userInfo }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new PresageError('file_unreadable', `${path} could not be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
