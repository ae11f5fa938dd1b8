import type { DecisionRecord } from '../../schemas/index.ts';
import { quoted } from '../../stream/features/sql/index.ts';
import { inHalves } from '../parity/halve.ts';
import type { Ask } from '../parity/port.ts';

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
  /** The outcome that makes a label 1. */
  readonly outcome: string;
  /** How long after an exposure its outcome counts. */
  readonly windowMs: number;
  readonly withSimulated: boolean;
  readonly now: number;
}

/** What was left out, in exposures and outcomes. */
export interface LeftOut {
  readonly simulated: number;
  /** Shown within the attribution window: the answer may still come. */
  readonly immature: number;
  /** Has the outcome, but nobody acknowledged that it was shown. */
  readonly neverShown: number;
}

export interface LabelledSet {
  readonly rows: readonly Labelled[];
  readonly leftOut: LeftOut;
  /** Decisions of these rows by other versions of the workspace: their features may have been defined otherwise. */
  readonly otherWorkspace: number;
}

/** Labels of one query, and features: a record has some kilobytes of them, and is found by its id. */
const pageRows = 20_000;
const featuresRows = 1_000;
/** Bounds memory and time; the newest are taken. */
export const mostRows = 200_000;

/**
 * Decisions of these placements that were shown, oldest first, once the attribution window has closed. Only an
 * acknowledged exposure can become a negative: what was never shown has no label. The window closes in the time of the
 * events, so that a history that is fed matures as a live one does.
 */
export async function labelledDecisions(
  ask: Ask,
  options: LabelOptions,
  workspace: string,
): Promise<LabelledSet> {
  const { withSimulated } = options;
  const matured = (await eventTimeOf(ask, options)) - options.windowMs;
  const [counts] = await ask<Record<string, number>>(
    `SELECT toUInt32(countIf(simulated AND NOT ${withSimulated})) AS simulated, toUInt32(countIf(isUsed AND at > ${matured})) AS immature, toUInt32(countIf(isUsed AND at <= ${matured} AND workspace != ${quoted(workspace)})) AS other FROM (SELECT *, (${withSimulated} OR NOT simulated) AS isUsed FROM (${shown(options)}))`,
  );
  const [unseen] = await ask<{ n: number }>(
    `SELECT toUInt32(count()) AS n FROM outcomes WHERE tenant = ${quoted(options.tenant)} AND placement IN (${options.placements.map(quoted).join(', ')}) AND outcome = ${quoted(options.outcome)} AND (${withSimulated} OR NOT simulated) AND decision NOT IN (SELECT decision FROM exposures WHERE tenant = ${quoted(options.tenant)})`,
  );
  const found: Row[] = [];
  let before = { at: matured + 1, id: '' };
  while (found.length < mostRows) {
    const page = await ask<Row>(pageOf(options, before));
    found.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < pageRows) break;
    before = { at: Number(last.at), id: last.id };
  }
  const rows: Labelled[] = [];
  for (let from = 0; from < found.length; from += featuresRows)
    for (const part of await inHalves(found.slice(from, from + featuresRows), (some) =>
      withFeatures(ask, some),
    ))
      rows.push(...part);
  return {
    rows: rows.reverse(),
    leftOut: {
      simulated: Number(counts?.simulated ?? 0),
      immature: Number(counts?.immature ?? 0),
      neverShown: Number(unseen?.n ?? 0),
    },
    otherWorkspace: Number(counts?.other ?? 0),
  };
}

/** The newest event time of the tenant, which never is in the future. */
async function eventTimeOf(ask: Ask, { tenant, now }: LabelOptions): Promise<number> {
  const [row] = await ask<{ at: number }>(
    `SELECT toFloat64(greatest((SELECT toUnixTimestamp64Milli(max(time)) FROM events WHERE tenant = ${quoted(tenant)}), (SELECT toUnixTimestamp64Milli(max(time)) FROM exposures WHERE tenant = ${quoted(tenant)}))) AS at`,
  );
  return Math.min(now, Number(row?.at ?? 0));
}

interface Row {
  readonly id: string;
  readonly action: string;
  readonly at: number;
  readonly said: number | null;
  readonly answered: number;
}

/** Acknowledged exposures with their decisions, without what was never recorded or is not of these placements. */
const shown = ({ tenant, placements }: LabelOptions, columns = ''): string =>
  `SELECT decisions.id AS id, toFloat64(toUnixTimestamp64Milli(exposures.time)) AS at, decisions.simulated AS simulated, decisions.workspace AS workspace${columns} FROM decisions INNER JOIN exposures ON exposures.decision = decisions.id AND exposures.tenant = decisions.tenant WHERE decisions.tenant = ${quoted(tenant)} AND decisions.placement IN (${placements.map(quoted).join(', ')}) AND decisions.action IS NOT NULL AND decisions.recorded`;

function pageOf(options: LabelOptions, before: { readonly at: number; readonly id: string }): string {
  const { tenant, outcome, windowMs, withSimulated } = options;
  const columns = `, assumeNotNull(decisions.action) AS action, if(decisions.rung = 'champion', decisions.accept_probability, NULL) AS said`;
  const answers = `SELECT decision, toFloat64(toUnixTimestamp64Milli(time)) AS answeredAt FROM outcomes WHERE tenant = ${quoted(tenant)} AND outcome = ${quoted(outcome)}`;
  return `SELECT id, action, at, said, toUInt8(answers.decision != '' AND answeredAt <= at + ${windowMs}) AS answered FROM (${shown(options, columns)}) AS shown LEFT JOIN (${answers}) AS answers ON answers.decision = shown.id WHERE (${withSimulated} OR NOT simulated) AND (at < ${before.at} OR (at = ${before.at} AND id < ${quoted(before.id)})) ORDER BY at DESC, id DESC LIMIT ${pageRows}`;
}

/** The same rows, each with what its decision saw. */
async function withFeatures(ask: Ask, rows: readonly Row[]): Promise<Labelled[]> {
  const ids = rows.map(({ id }) => quoted(id)).join(', ');
  const records = await ask<{ id: string; features: string }>(
    `SELECT id, JSONExtractRaw(record, 'features') AS features FROM decisions WHERE id IN (${ids})`,
  );
  const byId = new Map(records.map(({ id, features }) => [id, features]));
  return rows.map(({ id, action, at, said, answered }) => ({
    id,
    action,
    shownAt: Number(at),
    features: JSON.parse(byId.get(id) ?? '{}') as DecisionRecord['features'],
    label: Number(answered) === 1 ? 1 : 0,
    said: said === null ? null : Number(said),
  }));
}
