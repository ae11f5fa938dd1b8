import type { Candidate, DecisionRecord, VerdictStage } from '../../../../schemas/index.ts';
import { formatFactor, formatNumber, formatPercent } from '../../format/index.ts';

/** The stages in the order that a candidate goes through, with a short name for the head of a column. */
export const stages: readonly { readonly stage: VerdictStage; readonly name: string }[] = [
  { stage: 'eligibility', name: 'Eligibility' },
  { stage: 'applicability', name: 'Applicability' },
  { stage: 'suitability', name: 'Suitability' },
  { stage: 'constraints', name: 'Constraints' },
  { stage: 'scoring', name: 'Scoring' },
  { stage: 'arbitration', name: 'Arbitration' },
  { stage: 'exploration', name: 'Exploration' },
  { stage: 'gate', name: 'Gate' },
];

export type StageState = 'passed' | 'out' | 'unreached';

/** How a candidate fared at each stage. Caps count at the commit: one that was full comes after score and rank. */
export function stageStates(candidate: Candidate): readonly StageState[] {
  const { stage: last } = candidate.verdict;
  if (last === 'chosen') return stages.map(() => 'passed');
  const end = stages.findIndex(({ stage }) => stage === last);
  return stages.map(({ stage }, index) => {
    if (index === end) return 'out';
    if (index < end) return 'passed';
    if (stage === 'scoring' && candidate.score !== undefined) return 'passed';
    return stage === 'arbitration' && candidate.rank !== undefined ? 'passed' : 'unreached';
  });
}

/** A verdict as a sentence; `code` is what belongs in typewriter letters: a rule's text, a name. */
export interface VerdictWords {
  readonly before: string;
  readonly code: string | null;
  readonly after: string;
}

export function verdictWords(candidate: Candidate, decision: DecisionRecord): VerdictWords {
  const { stage, rule, saw } = candidate.verdict;
  const words = (before: string, code: string | null = null, after = '.'): VerdictWords => ({
    before,
    code,
    after,
  });
  if (stage === 'chosen') return words(chosenWords(candidate, decision), null, '');
  if (stage === 'gate') {
    const why = 'Chosen, but not executed: ';
    return words(why, rule, saw.confidence === null ? ' – nothing says yet how sure we can be.' : '.');
  }
  if (stage === 'exploration') return words(notDrawnWords(candidate, decision), null, '');
  if (rule.startsWith('missing: ')) {
    return words(`${outAt(stage)}: `, rule, ' – there is no such value yet, and none is assumed.');
  }
  if (rule.startsWith('error: ')) return words(`${outAt(stage)}: its rule failed with `, rule.slice(7));
  if (stage === 'constraints') {
    const [before, after] = constraintWords(rule, saw);
    return words(before, rule, after);
  }
  if (rule === 'outranked') return words(outrankedWords(candidate, decision), null, '');
  if (stage === 'arbitration') return words('Out at arbitration: ', rule);
  if (stage === 'scoring') return words('Out at scoring: ', rule);
  return words(`${outAt(stage)}: `, rule, ' does not hold.');
}

/** What stands before and after a constraint's name. Of caps `used` and `limit` were seen, at the commit. */
function constraintWords(
  rule: string,
  { used, limit, budget, ...saw }: Candidate['verdict']['saw'],
): readonly [before: string, after: string] {
  if (rule.startsWith('!:dismissed/')) return ['Kept back after it was dismissed: ', '.'];
  if (rule.startsWith('!')) return ['Excluded by another action of its group: ', '.'];
  if (typeof used === 'number' && typeof limit === 'number') {
    const count = `${formatNumber(used)} of ${formatNumber(limit)}`;
    if (typeof budget !== 'number') return ['Cap full: ', ` – ${count} used at the commit.`];
    const whole = formatNumber(budget);
    return ['Budget used up: ', ` – ${count} that its partition has of ${whole} were used at the commit.`];
  }
  if (rule === 'no room') return ['A cap had no room at the commit: ', '.'];
  const seen = Object.entries(saw).map(([name, value]) => `${name} ${value === null ? 'not known' : value}`);
  return ['Out by a constraint: ', seen.length === 0 ? '.' : ` – ${seen.join(', ')}.`];
}

function outAt(stage: VerdictStage): string {
  switch (stage) {
    case 'eligibility':
      return 'Not eligible';
    case 'applicability':
      return 'Not applicable';
    case 'suitability':
      return 'Not suitable';
    default:
      return `Out at ${stage}`;
  }
}

function chosenWords(candidate: Candidate, decision: DecisionRecord): string {
  if (decision.exploration !== undefined && !decision.deterministic) {
    const slot = decision.slots?.find(({ action }) => action === candidate.action);
    const chance = slot?.choicePropensity ?? decision.choicePropensity;
    return `Chosen: drawn with a chance of ${formatPercent(chance)} among those that had room.`;
  }
  const ahead = decision.candidates.filter(
    ({ rank }) => rank !== undefined && candidate.rank !== undefined && rank < candidate.rank,
  );
  if (ahead.length === 0) return 'Chosen: the highest priority, and every cap had room.';
  const names = ahead.map(({ action }) => action).join(', ');
  return `Chosen: the highest priority among those whose caps had room (${names} ranked higher).`;
}

function notDrawnWords({ score, drawn }: Candidate, decision: DecisionRecord): string {
  const winner = decision.candidates.find(({ action }) => action === decision.action);
  const place = drawn === undefined ? '' : `, place ${drawn} in the draw`;
  const against =
    winner?.score === undefined ? '' : ` against ${formatFactor(winner.score.priority)} of ${winner.action}`;
  return `Not drawn: priority ${formatFactor(score?.priority ?? 0)}${against}${place}. The policy explores.`;
}

function outrankedWords(candidate: Candidate, decision: DecisionRecord): string {
  const winner = decision.candidates.find(({ action }) => action === decision.action);
  if (winner?.score === undefined || candidate.score === undefined) return 'Outranked.';
  return `Outranked: priority ${formatFactor(candidate.score.priority)} against ${formatFactor(winner.score.priority)} of ${winner.action}.`;
}

/** By rank, then those that left early: the furthest came first. */
export function inOrder(candidates: readonly Candidate[]): readonly Candidate[] {
  const place = ({ verdict, rank }: Candidate): number =>
    rank ?? 1e6 - stages.findIndex(({ stage }) => stage === verdict.stage);
  return [...candidates].sort((a, b) => place(a) - place(b));
}
