import type { DecisionDetail, DecisionRecord } from '../../../../schemas/index.ts';
import { counted, durationText, formatFactor, formatPercent } from '../../format/index.ts';

/** One decision in two or three sentences: what a person would answer when asked. */
export function summarize(decision: DecisionRecord): string {
  const parts = [
    `${counted(decision.candidates.length, 'candidate')}${outOf(decision)}.`,
    scoredBy(decision),
    delivered(decision),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function outOf({ candidates }: DecisionRecord): string {
  const count = (...stages: string[]) =>
    candidates.filter(({ verdict }) => stages.includes(verdict.stage)).length;
  const parts = [
    [count('eligibility', 'applicability', 'suitability'), 'put out by a rule'],
    [count('constraints'), 'without room in a cap'],
    [count('scoring'), 'without a score'],
    [count('arbitration'), 'outranked'],
    [count('exploration'), 'not drawn'],
    [count('gate'), 'chosen but not let through the gate'],
    [count('chosen'), 'chosen'],
  ] as const;
  const said = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  return said.length === 0 ? '' : `: ${said.join(', ')}`;
}

function scoredBy({ rung, rungReason, timings, model, candidates }: DecisionRecord): string {
  if (!candidates.some(({ score }) => score !== undefined)) return 'None came as far as scoring.';
  const who =
    rung === 'champion' && model !== null
      ? `Scored by model ${model.id} ${model.version}`
      : rung === 'rules'
        ? 'Scored by rules'
        : `Scored by the ${rung} rung`;
  const why = rung === 'champion' || rungReason === '' ? '' : ` (${inWords(rungReason)})`;
  return `${who}${why} in ${durationText(timings.scoringMs)}.`;
}

/** A code such as `budget_spent` as words. */
export const inWords = (code: string): string => code.replaceAll('_', ' ');

/** How the ranking was drawn. */
export function explorationWords({
  kind,
  temperature,
  uniform,
}: NonNullable<DecisionRecord['exploration']>): string {
  const at = temperature === undefined ? '' : ` at temperature ${formatFactor(temperature)}`;
  return `${inWords(kind)}${at}; in any order with ${formatPercent(uniform)}`;
}

/** Which arm, for how long, and by whose lot. */
export function holdoutWords({
  arm,
  period,
  share,
  unit,
  isMixed,
}: NonNullable<DecisionRecord['holdout']>): string {
  const mixed = isMixed ? '; seen in both arms, left out of lift' : '';
  return `${inWords(arm)} in ${period} (${formatPercent(share)} are held out), by the lot of ${unit}${mixed}`;
}

/** Why what was chosen did not go out. */
export const notDelivered = {
  observe: 'Mode observe',
  stopped: 'The stop switch was on',
  holdout: 'The subject is held out',
  review: 'It waits for a review',
} as const;

function delivered({ mode, action, recorded }: DecisionRecord): string {
  const unrecorded = recorded ? '' : ' It was answered without a record in the log: left out of estimates.';
  if (mode !== 'act') return `${notDelivered[mode]}: recorded, not delivered.${unrecorded}`;
  return action === null ? `So nothing was offered.${unrecorded}` : unrecorded.trim();
}

export type StepState = 'done' | 'waiting' | 'never';

export interface DeliveryStep {
  readonly name: string;
  readonly at: number | null;
  readonly state: StepState;
  readonly text: string;
}

/**
 * Decided, pushed, shown, outcome: what happened and what did not. A push has no row of its own in ClickHouse: its
 * time is known only where this page saw it happen (`pushed`).
 */
export function deliverySteps(
  detail: DecisionDetail,
  pushed: number | null,
  now: number,
): readonly DeliveryStep[] {
  const { decision, exposures, outcomes } = detail;
  const decidedAt = decision.timings.decidedAt;
  const decided: DeliveryStep = { name: 'Decided', at: decidedAt, state: 'done', text: '' };
  const { offer } = decision;
  if (decision.action === null || offer === null) {
    return [
      decided,
      { name: 'Nothing to deliver', at: null, state: 'never', text: 'No candidate was chosen.' },
    ];
  }
  if (decision.mode !== 'act') {
    const why =
      decision.mode === 'observe' ? 'The action is in mode observe.' : `${notDelivered[decision.mode]}.`;
    return [decided, { name: 'Not delivered', at: null, state: 'never', text: why }];
  }
  const isOver = now >= offer.expiresAt;
  const shownAt = exposures[0]?.at ?? null;
  const steps: DeliveryStep[] = [decided];
  if (pushed !== null) {
    steps.push({ name: 'Pushed', at: pushed, state: 'done', text: 'into the live session' });
  } else if (shownAt !== null) {
    steps.push({ name: 'Delivered', at: null, state: 'done', text: 'the record does not say when' });
  } else {
    steps.push({
      name: 'Pushed',
      at: null,
      state: isOver ? 'never' : 'waiting',
      text: waiting(isOver, 'a live session'),
    });
  }
  steps.push(
    shownAt === null
      ? { name: 'Shown', at: null, state: isOver ? 'never' : 'waiting', text: waiting(isOver, 'the page') }
      : { name: 'Shown', at: shownAt, state: 'done', text: 'the page acknowledged it' },
  );
  if (outcomes.length === 0) {
    steps.push({
      name: 'Outcome',
      at: null,
      state: shownAt === null && isOver ? 'never' : 'waiting',
      text: 'none so far',
    });
  }
  for (const { at, outcome } of outcomes) {
    steps.push({ name: outcome[0]?.toUpperCase() + outcome.slice(1), at, state: 'done', text: '' });
  }
  return steps;
}

const waiting = (isOver: boolean, forWhat: string): string =>
  isOver ? 'not before the offer expired' : `waiting for ${forWhat}`;
