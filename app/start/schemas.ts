import type { EventLog } from '../../stream/log/index.ts';
import { framedLog, registerSchemas } from '../../stream/schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Environment } from '../environment.ts';
import { logTopic, openRegistry } from '../schemas/registry.ts';

export interface LogWithSchemas {
  readonly log: EventLog;
  /** Registers those of another workspace too. Throws what the registry throws, which may refuse it. */
  readonly register: (workspace: CompiledWorkspace) => Promise<void>;
}

/**
 * The log with its values framed in Confluent's format, where it is a Kafka topic and a registry is named; its schemas
 * are registered first. Throws what the registry throws: an incompatible workspace does not start.
 */
export async function withSchemas(
  log: EventLog,
  environment: Environment,
  workspace: CompiledWorkspace,
  version: number,
): Promise<LogWithSchemas> {
  const { kafka, schemaRegistry } = environment;
  if (kafka === null || schemaRegistry.url === null) return { log, register: async () => {} };
  const naming = { strategy: schemaRegistry.strategy, topic: logTopic(environment, version) };
  const registry = openRegistry(environment);
  const ids = { byHash: new Map<string, number>(), anyEvent: 0 };
  async function register(other: CompiledWorkspace): Promise<void> {
    const { byHash, anyEvent } = await registerSchemas(registry, other, naming);
    for (const [hash, id] of byHash) ids.byHash.set(hash, id);
    ids.anyEvent = anyEvent;
  }
  await register(workspace);
  return { log: framedLog(log, ids), register };
}
