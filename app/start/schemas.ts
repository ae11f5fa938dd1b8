import type { EventLog } from '../../stream/log/index.ts';
import { framedLog, registerSchemas } from '../../stream/schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Environment } from '../environment.ts';
import { logTopic, openRegistry } from '../schemas/registry.ts';

/**
 * The log with its values framed in Confluent's format, where it is a Kafka topic and a registry is named; its schemas
 * are registered first. Throws what the registry throws: an incompatible workspace does not start.
 */
export async function withSchemas(
  log: EventLog,
  environment: Environment,
  workspace: CompiledWorkspace,
  version: number,
): Promise<EventLog> {
  const { kafka, schemaRegistry } = environment;
  if (kafka === null || schemaRegistry.url === null) return log;
  const naming = { strategy: schemaRegistry.strategy, topic: logTopic(environment, version) };
  return framedLog(log, await registerSchemas(openRegistry(environment), workspace, naming));
}
