import type { DecisionRecord } from '../../schemas/index.ts';
import { checkMetric, labelledDecisions } from '../../sinks/clickhouse/index.ts';
import { quoted } from '../../stream/features/sql/index.ts';
import type { CompiledOutcomes, CompiledWorkspace } from '../../workspace/index.ts';
import type { Ask } from '../parity/port.ts';
import { askWithParameters } from './parameters.ts';

/** A decision whose offer was shown, with what came of it. */
export interface Labelled {
  readonly id: string;
  readonly action: string;
  /** Event time of the acknowledged exposure. */
  readonly shownAt: number;
  /** As the decision saw them. */
  readonly features: DecisionRecord['features'];
  readonly label: 0 | 1;
  /** What the model that decided said of the chosen action; null: rules decided. */
  readonly said: number | null;
}

export interface LabelOptions {
  readonly tenant: string;
  readonly placements: readonly string[];
  /** What makes a label 1: `accepted`, `converted`, or a metric of the workspace. */
  readonly metric: string;
  readonly withSimulated: boolean;
  readonly now: number;
}

/** What was left out, in decisions that were shown, and in reports. */
export interface LeftOut {
  readonly simulated: number;
  /** Shown within the longest attribution window: its answer may still come. */
  readonly immature: number;
  /** Reported as accepted or converted, but nobody acknowledged that it was shown. */
  readonly neverShown: number;
  /** Showed several actions: a label is of the decision, and does not say which of them it is due to. */
  readonly severalSlots: number;
}

export interface LabelledSet {
  readonly rows: readonly Labelled[];
  readonly leftOut: LeftOut;
  /** Decisions of these rows by other versions of the workspace: their features may have been defined otherwise. */
  readonly otherWorkspace: number;
}

/** Bounds memory and time; the newest are taken. */
export const mostRows = 200_000;
/** Records of one query: each has some kilobytes. */
const pageRows = 1_000;

/** After the longest of its windows and time-outs nothing is expected of what was shown. */
export const longestWindowMs = ({ timeoutMs, windowMs, metrics }: CompiledOutcomes): number =>
  Math.max(timeoutMs, windowMs, ...metrics.flatMap((one) => [one.windowMs, one.timeoutMs]));

/**
 * Decisions of these placements that were shown, oldest first, with labels as docs/outcomes.md defines them, once the
 * longest attribution window has closed. Windows close in the time of events, so that a history that is fed matures
 * as a live one does. Only an acknowledged exposure can become a negative: what was never shown has no label.
 */
export async function labelledRows(
  ask: Ask,
  workspace: Pick<CompiledWorkspace, 'outcomes' | 'hash'>,
  options: LabelOptions,
): Promise<LabelledSet> {
  const { tenant, placements, metric, withSimulated, now } = options;
  checkMetric(workspace.outcomes, metric);
  const matured = (await eventTimeOf(ask, options)) - longestWindowMs(workspace.outcomes);
  const from = await beginOf(ask, options);
  const simulated = withSimulated ? null : false;
  const rows: Labelled[] = [];
  let immature = 0;
  let otherWorkspace = 0;
  let severalSlots = 0;
  for (const placement of placements) {
    const question = { tenant, placement, metric, simulated, from, to: now + 1, at: now, page: pageRows };
    for await (const { decision, label, mature, shownAt } of labelledDecisions(
      { rows: askWithParameters(ask) },
      workspace.outcomes,
      question,
    )) {
      if (label === null || !mature || shownAt > matured) immature++;
      else if ((decision.slots?.length ?? 1) > 1) severalSlots++;
      else if (decision.action !== null) {
        rows.push(labelledOf(decision, decision.action, shownAt, label));
        if (decision.workspace !== workspace.hash) otherWorkspace++;
      }
    }
  }
  rows.sort((a, b) => a.shownAt - b.shownAt || (a.id < b.id ? -1 : 1));
  return { rows, leftOut: { immature, severalSlots, ...(await othersOf(ask, options)) }, otherWorkspace };
}

function labelledOf(decision: DecisionRecord, action: string, shownAt: number, label: 0 | 1): Labelled {
  const { id, features, rung, candidates } = decision;
  const score = candidates.find((candidate) => candidate.action === action)?.score;
  const said = rung === 'champion' ? (score?.acceptProbability ?? null) : null;
  return { id, action, shownAt, features, label, said };
}

/** The newest event time of the tenant, which never is in the future. */
async function eventTimeOf(ask: Ask, { tenant, now }: LabelOptions): Promise<number> {
  const newest = (table: string): string =>
    `(SELECT toUnixTimestamp64Milli(max(time)) FROM ${table} WHERE tenant = ${quoted(tenant)})`;
  const [row] = await ask<{ at: number }>(
    `SELECT toFloat64(greatest(${newest('events')}, ${newest('exposures')})) AS at`,
  );
  return Math.min(now, Number(row?.at ?? 0));
}

const isUsed = ({ withSimulated }: LabelOptions): string => (withSimulated ? 'true' : 'NOT simulated');
const isOf = ({ tenant, placements }: LabelOptions): string =>
  `tenant = ${quoted(tenant)} AND placement IN (${placements.map(quoted).join(', ')})`;
const shownIds = ({ tenant }: LabelOptions): string =>
  `(SELECT decision FROM exposures WHERE tenant = ${quoted(tenant)})`;

/** When the oldest was decided that is still among the newest `mostRows`. */
async function beginOf(ask: Ask, options: LabelOptions): Promise<number> {
  const [row] = await ask<{ at: number }>(
    `SELECT toFloat64(toUnixTimestamp64Milli(decided)) AS at FROM decisions WHERE ${isOf(options)} AND ${isUsed(options)} AND id IN ${shownIds(options)} ORDER BY decided DESC LIMIT 1 OFFSET ${mostRows - 1}`,
  );
  return Number(row?.at ?? 0);
}

async function othersOf(
  ask: Ask,
  options: LabelOptions,
): Promise<Omit<LeftOut, 'immature' | 'severalSlots'>> {
  const { metric, withSimulated } = options;
  const [shown] = await ask<{ n: number }>(
    `SELECT toUInt32(count()) AS n FROM decisions WHERE ${isOf(options)} AND simulated AND id IN ${shownIds(options)}`,
  );
  const [reported] = await ask<{ n: number }>(
    `SELECT toUInt32(uniqExact(decision)) AS n FROM outcomes WHERE ${isOf(options)} AND outcome = ${quoted(metric)} AND ${isUsed(options)} AND decision NOT IN ${shownIds(options)}`,
  );
  return { simulated: withSimulated ? 0 : Number(shown?.n ?? 0), neverShown: Number(reported?.n ?? 0) };
}
