import {
  formatProblems,
  loadWorkspace,
  type Problem,
  undeclaredTypes,
  WorkspaceError,
} from '../../workspace/index.ts';

export interface WorkspaceSummary {
  readonly name: string;
  readonly hash: string;
  readonly tenants: number;
  readonly types: number;
  readonly features: number;
  readonly placements: number;
  readonly actions: number;
  readonly triggers: number;
  readonly models: number;
  /** Event types that are mentioned but not declared: allowed in an open workspace, and worth a look. */
  readonly undeclared: readonly string[];
}

export type CheckResult =
  | { readonly ok: true; readonly summary: WorkspaceSummary }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Validates a workspace completely, as `presage check` does. Mistakes are a result; nothing is thrown for them. */
export async function checkWorkspace(folder: string): Promise<CheckResult> {
  try {
    const workspace = await loadWorkspace(folder);
    const { source } = workspace;
    const summary = {
      name: workspace.name,
      hash: workspace.hash,
      tenants: workspace.tenants.size,
      types: workspace.types.size,
      features: workspace.features.length,
      placements: workspace.placements.size,
      actions: Object.keys(source.actions).length,
      triggers: workspace.triggers.length,
      models: workspace.models.size,
      undeclared: undeclaredTypes(source),
    };
    return { ok: true, summary };
  } catch (error) {
    if (error instanceof WorkspaceError) return { ok: false, problems: error.problems };
    throw error;
  }
}

/** What `presage check` prints. */
export function renderCheck(result: CheckResult): string {
  if (!result.ok) {
    const { length } = result.problems;
    return `${formatProblems(result.problems)}\n\n${length} ${length === 1 ? 'problem' : 'problems'}.`;
  }
  const { summary } = result;
  const counts = [
    count(summary.tenants, 'tenant'),
    count(summary.types, 'event type'),
    count(summary.features, 'feature'),
    count(summary.placements, 'placement'),
    count(summary.actions, 'action'),
    count(summary.triggers, 'trigger'),
    count(summary.models, 'model'),
  ];
  const lines = [`Workspace ${summary.name} is valid: ${counts.join(', ')}.`];
  if (summary.undeclared.length > 0 && summary.types > 0) {
    lines.push(`Not declared under types, and read as they come: ${summary.undeclared.join(', ')}.`);
  }
  return lines.join('\n');
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}
