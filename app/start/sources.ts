import type { Registry } from 'prom-client';
import { type Clock, type Logger, PresageError, type Role } from '../../core/index.ts';
import { makeSource, sourceMetrics } from '../../gateway/index.ts';
import { type EventLog, isLogTopic, kafkaTopics } from '../../stream/log/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Environment } from '../environment.ts';
import { openRegistry } from '../schemas/registry.ts';

export interface SourcesParts {
  readonly environment: Environment;
  readonly workspace: CompiledWorkspace;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
}

/** A role for each source of the workspace. Throws `usage` where Kafka, or a registry that one needs, is not named. */
export async function makeSources(parts: SourcesParts): Promise<readonly Role[]> {
  const { environment, workspace, logger } = parts;
  const sources = Object.entries(workspace.source.sources);
  if (sources.length === 0) return [];
  const { kafka } = environment;
  if (kafka === null)
    throw new PresageError(
      'usage',
      `The workspace reads Kafka topics (sources: ${sources.map(([name]) => name).join(', ')}): set KAFKA_BROKERS.`,
    );
  // Each record would come back as another one, for ever.
  const circular = sources.find(([, { topic }]) => isLogTopic(topic, kafka.prefix));
  if (circular !== undefined)
    throw new PresageError(
      'usage',
      `sources.${circular[0]}.topic: ${circular[1].topic} is where Presage keeps its own log. Name a topic of yours.`,
    );
  const isFramed = sources.some(([, { format }]) => format !== 'json');
  const schemas = isFramed ? openRegistry(environment) : null;
  const topics = await kafkaTopics({ ...kafka, logger });
  const metrics = sourceMetrics(parts.registry);
  return sources.map(([name]) => makeSource({ ...parts, name, topics, registry: schemas, metrics }));
}
