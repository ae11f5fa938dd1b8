import { z } from 'zod';
import { workspaceSource } from '../schemas/index.ts';

/**
 * JSON Schema (2020-12) of `presage.yaml` as people write it: completion and descriptions in an editor that follows
 * `# yaml-language-server: $schema=`. Kept in schemas/presage.schema.json, which `presage check --json-schema` prints.
 */
export function workspaceJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(workspaceSource, { io: 'input', target: 'draft-2020-12' });
  return { $schema, title: 'Presage workspace', ...rest };
}
