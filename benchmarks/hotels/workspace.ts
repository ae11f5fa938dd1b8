import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';

type Tree = Record<string, unknown>;

/** The travel example with what ranker/ranker.yaml adds, written to `folder`; the ranker's model only `withModel`. */
export async function rankerWorkspace(
  example: string,
  folder: string,
  { withModel }: { readonly withModel: boolean },
): Promise<CompiledWorkspace> {
  cpSync(example, folder, { recursive: true, filter: (path) => !path.includes('.presage') });
  const base = parse(readFileSync(join(example, 'presage.yaml'), 'utf8')) as Tree;
  const added = parse(readFileSync(join(example, 'ranker', 'ranker.yaml'), 'utf8')) as Tree;
  if (!withModel) {
    delete added.models;
    delete (added.placements as Record<string, Tree>).hotel_list?.model;
  }
  writeFileSync(
    join(folder, 'presage.yaml'),
    stringify(merged(base, added), { aliasDuplicateObjects: false }),
  );
  return loadWorkspace(folder);
}

function merged(base: Tree, added: Tree): Tree {
  const result = { ...base };
  for (const [key, value] of Object.entries(added))
    result[key] = isTree(result[key]) && isTree(value) ? merged(result[key], value) : value;
  return result;
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
