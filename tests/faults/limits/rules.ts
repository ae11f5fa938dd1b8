import { capsOf } from '../../../decisions/index.ts';
import type { Choice } from '../../../schemas/index.ts';
import { type CompiledWorkspace, loadWorkspace } from '../../../workspace/index.ts';

/** What may be taken: by day, in all, of a subject, of a session. */
export interface Limits {
  readonly daily: number;
  readonly all: number;
}

export const tenant = 'acme';
export const partitions = 4;
export const start = Date.UTC(2026, 0, 5);
const hour = 3_600_000;
export const day = 24 * hour;
/** Event times of all tries: two days of the tenant. */
export const hours = 36;
export const subjects = 100;

export const workspaceOf = ({ daily, all }: Limits): Promise<CompiledWorkspace> =>
  loadWorkspace(
    '.',
    `version: 1
name: limits
tenants: { ${tenant}: {} }
placements: { banner: {} }
actions:
  daily: { placements: [banner], value: 1, budget: { daily: ${daily} } }
  shared: { placements: [banner], value: 1, caps: [{ per: tenant, limit: ${all}, window: 60d }] }
  personal: { placements: [banner], value: 1, caps: [{ per: subject, limit: 2, window: 7d }] }
  welcome: { placements: [banner], value: 1, caps: [{ per: session, limit: 1 }] }
`,
  );

/** One decision to be made: whose, when, and in which order its choices are ranked. */
export interface Try {
  readonly subject: string;
  readonly session: string;
  readonly time: number;
  readonly choices: Choice[];
}

/** A try of a subject of this partition, from a source of numbers in [0, 1). */
export function tryIn(workspace: CompiledWorkspace, partition: number, random: () => number): Try {
  const subject = `u:${Math.floor((random() * subjects) / partitions) * partitions + partition}`;
  const time = start + Math.floor(random() * hours * hour);
  // A person has two sessions at once: fewer than are remembered.
  const session = `${subject}-${Math.floor(random() * 2)}`;
  const placement = workspace.placements.get('banner');
  const ranked = (placement?.actions ?? [])
    .map((action) => ({ action, rank: random() }))
    .sort((a, b) => a.rank - b.rank);
  return {
    subject,
    session,
    time,
    choices: ranked.map(({ action }) => ({
      action: action.name,
      caps: capsOf(action, { tenant, session, time }, placement),
      offer: null,
      mode: 'act',
    })),
  };
}

/** What an outbox entry of a try says. */
export interface Told {
  readonly subject: string;
  readonly session: string;
  readonly time: number;
  readonly actions: readonly string[];
}

export const payloadOf = ({ subject, session, time, choices }: Try): string =>
  JSON.stringify({ subject, session, time, actions: choices.map(({ action }) => action) } satisfies Told);

/** Mulberry32: the same numbers for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
