import type {
  Candidate,
  Choice,
  DecisionDraft,
  DecisionRecord,
  FeatureValue,
  Verdict,
} from '../schemas/index.ts';
import type { CompiledAction } from '../workspace/index.ts';
import { capsOf } from './caps.ts';
import type { Considered } from './consider.ts';
import { gate } from './gate.ts';
import type { Contender, Question, Scores } from './question.ts';

/** A decision on its way into the commit: the record so far, and the complete ranking of what could be chosen. */
export type Draft = DecisionDraft;

/**
 * Scoring and arbitration: ranks the contenders by priority = P x C x V x L (MISSION.md), highest first, ties in the
 * order of the workspace file, and writes the record. The policy is greedy, so `choicePropensity` is 1 and the record
 * says deterministic. A contender whose acceptance probability is no probability is out at scoring.
 */
export function arbitrate(
  question: Question,
  { contenders, out }: Considered,
  scores: Scores,
  decidedAt: number,
): Draft {
  const ranked: Ranked[] = [];
  const unscored: Candidate[] = [];
  for (const [index, contender] of contenders.entries()) {
    const acceptProbability = scores.acceptProbabilities[index] ?? Number.NaN;
    if (acceptProbability >= 0 && acceptProbability <= 1) {
      const { contextWeight, value, lever } = contender;
      const priority = acceptProbability * contextWeight * value * lever;
      const score = { acceptProbability, contextWeight, value, lever, priority };
      ranked.push({ contender, index, score });
    } else unscored.push({ action: contender.action.name, verdict: noScore });
  }
  ranked.sort((a, b) => b.score.priority - a.score.priority || a.index - b.index);

  const candidates: Candidate[] = ranked.map(({ contender, score }, index) => ({
    action: contender.action.name,
    verdict: outranked,
    score,
    rank: index + 1,
  }));
  const expiresAt = question.time + question.placement.expiresMs;

  return {
    choices: ranked.map(({ contender: { action } }) => choiceOf(action, question, expiresAt)),
    record: {
      id: question.id,
      tenant: question.tenant,
      subject: question.subject,
      session: question.session,
      placement: question.placement.name,
      startedBy: question.startedBy,
      time: question.time,
      simulated: question.simulated,
      log: question.log,
      ...featuresOf(question),
      ...(question.identity === undefined ? {} : { identity: question.identity }),
      context: contextOf(question),
      candidates: [...candidates, ...unscored, ...out],
      available: [],
      capsSeen: [],
      action: null,
      choicePropensity: 1,
      deterministic: true,
      rung: scores.rung,
      rungReason: scores.rungReason,
      model: scores.model,
      policy: question.placement.policy,
      workspace: question.workspace,
      mode: question.stopped ? 'stopped' : 'act',
      purpose: null,
      offer: null,
      recorded: true,
      lookups: [],
      timings: {
        receivedAt: question.receivedAt,
        decidedAt,
        featuresMs: question.featuresMs,
        scoringMs: scores.scoringMs,
        totalMs: Math.max(0, decidedAt - question.receivedAt),
      },
    },
  };
}

interface Ranked {
  readonly contender: Contender;
  readonly index: number;
  readonly score: NonNullable<Candidate['score']>;
}

const outranked: Verdict = { stage: 'arbitration', rule: 'outranked', saw: {} };
const noScore: Verdict = { stage: 'scoring', rule: 'no score', saw: {} };

function choiceOf(action: CompiledAction, question: Question, expiresAt: number): Choice {
  const refused = gate(action);
  const mode = question.stopped
    ? 'stopped'
    : action.mode === 'act' && refused !== null
      ? 'review'
      : action.mode;
  return {
    action: action.name,
    // What nobody will see takes nothing from what people may see.
    caps: mode === 'stopped' || mode === 'review' ? [] : capsOf(action, question, question.placement),
    offer: { content: action.content, expiresAt },
    mode,
    purpose: action.purpose,
    ...(mode === 'review' && refused !== null ? { gate: refused } : {}),
  };
}

/** Of shared features what was read, and which events they had counted: neither is a function of the subject's log. */
function featuresOf({ features, shared }: Question): Pick<DecisionRecord, 'features' | 'shared'> {
  if (shared === undefined) return { features };
  const { positions, before } = shared;
  return {
    features: { ...features, ...shared.seen() },
    shared: { positions, ...(before ? { before } : {}) },
  };
}

const maximumContextValues = 32;

/** The plain values of the trigger's event or the request that a person reading the record will look for. */
function contextOf(question: Question): Record<string, FeatureValue> {
  const context: Record<string, FeatureValue> = {};
  let kept = 0;
  for (const [name, value] of Object.entries(question.event ?? question.context ?? {})) {
    if (kept >= maximumContextValues) break;
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') {
      context[name] = typeof value === 'string' ? value.slice(0, 256) : value;
      kept++;
    }
  }
  return context;
}
