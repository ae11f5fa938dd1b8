import { PresageError } from '../../core/index.ts';
import type { ManifestInput } from '../../schemas/index.ts';
import {
  type CompiledAction,
  type CompiledFeature,
  type CompiledWorkspace,
  modelInput,
} from '../../workspace/index.ts';

/** What a model to be trained reads, and where it decides. */
export interface ModelSpec {
  readonly id: string;
  readonly placements: readonly string[];
  readonly inputs: readonly ManifestInput[];
  readonly missing: number;
  readonly defaults: Readonly<Record<string, number>>;
  readonly block: number;
  /** Of those placements, by name. */
  readonly actions: ReadonlyMap<string, CompiledAction>;
  /** Whom it is compared with: the version that the workspace names now. */
  readonly version: string | null;
}

/**
 * A model of the workspace keeps its inputs and placements. A new one reads every numeric feature, each action's
 * numbers, and which action it is, and needs the placement named. Throws PresageError `usage`.
 */
export function specOf(workspace: CompiledWorkspace, id: string, placement: string | undefined): ModelSpec {
  const model = workspace.models.get(id);
  const all = [...workspace.placements.values()];
  const mine = all.filter(({ name, model: named }) =>
    placement === undefined ? named?.id === id : name === placement,
  );
  if (mine.length === 0) {
    const names = all.map(({ name }) => name).join(', ') || 'none';
    throw new PresageError(
      'usage',
      placement === undefined
        ? `No placement of the workspace asks a model "${id}": name the placement whose decisions it learns from with --placement (there are: ${names}).`
        : `There is no placement "${placement}" (there are: ${names}).`,
    );
  }
  const actions = new Map(mine.flatMap((one) => one.actions.map((action) => [action.name, action])));
  const names = model?.inputs ?? newInputs(workspace, [...actions.values()]);
  return {
    id,
    placements: mine.map(({ name }) => name),
    inputs: names.map((name) => inputOf(name, workspace)),
    // Of a new model: what is missing is told from 0.
    missing: model?.missing ?? -1,
    defaults: model?.defaults ?? {},
    block: model?.block ?? 32,
    actions,
    version: workspace.source.models[id]?.version ?? null,
  };
}

function newInputs({ features, shared }: CompiledWorkspace, actions: readonly CompiledAction[]): string[] {
  const numbers = [...features, ...shared].filter(isPlainNumber).map(({ name }) => name);
  const attributes = new Set(
    actions.flatMap((action) =>
      Object.entries(action.attributes).flatMap(([name, value]) => (typeof value === 'number' ? [name] : [])),
    ),
  );
  return [
    ...numbers,
    ...[...attributes].map((name) => `action.${name}`),
    ...actions.map(({ name }) => `is.${name}`),
  ];
}

function isPlainNumber({ kind, by, propertyType }: CompiledFeature): boolean {
  if (kind === 'last_n' || kind === 'top_k' || (kind === 'last' && propertyType === 'string')) return false;
  return kind === 'sequence' || by === null;
}

function inputOf(name: string, { features, shared, source }: CompiledWorkspace): ManifestInput {
  const input = modelInput(name);
  if (input.from === 'action') return { name, type: 'boolean' };
  if (input.from === 'attribute') return { name, type: 'number' };
  const feature = [...features, ...shared].find((one) => one.name === input.feature);
  const stated = source.features[input.feature];
  const isBoolean =
    (feature?.kind === 'sequence' && feature.measure === 'any') ||
    (stated?.kind === 'derived' && stated.type === 'boolean');
  return {
    name,
    type: isBoolean ? 'boolean' : 'number',
    ...(feature === undefined ? {} : { definition: feature.hash }),
  };
}
