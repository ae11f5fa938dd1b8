import type { Candidate, Choice, DecisionDraft, DecisionRecord, FeatureValue } from '../schemas/index.ts';
import type { CompiledAction } from '../workspace/index.ts';
import { capsOf } from './caps.ts';
import type { Considered } from './consider.ts';
import { nothing } from './explore/items.ts';
import { judge } from './gate.ts';
import { holdoutArm } from './holdout.ts';
import type { Question, Scores } from './question.ts';
import { rank } from './rank.ts';

/** A decision on its way into the commit: the record so far, and the complete ranking of what could be chosen. */
export type Draft = DecisionDraft;

/**
 * Ranks the contenders (rank.ts) and writes the record, as far as it is known before the commit: what had room, what
 * was chosen and with which probability comes after it (finish.ts).
 */
export function arbitrate(
  question: Question,
  considered: Considered,
  scores: Scores,
  decidedAt: number,
): Draft {
  const { candidates, nothing: none, exploration, order } = rank(question, considered, scores);
  const { slots = 1, holdout: stated } = question.placement;
  const holdout =
    stated && holdoutArm(stated, question.tenant, question.subject, question.seenAs ?? [], question.time);
  const isHeldOut = holdout?.arm === 'held_out';
  const expiresAt = question.time + question.placement.expiresMs;
  return {
    choices: order.map((contender) =>
      contender === null
        ? offerNothing
        : choiceOf(contender.action, question, scores, candidates, expiresAt, isHeldOut),
    ),
    ...(slots === 1 ? {} : { slots }),
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
      candidates: considered.out.length === 0 ? candidates : [...candidates, ...considered.out],
      available: [],
      capsSeen: [],
      ...(holdout === undefined ? {} : { holdout }),
      ...(exploration === undefined ? {} : { exploration }),
      ...(none === undefined ? {} : { nothing: none }),
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

/** Always available: it takes from nothing. */
const offerNothing: Choice = { action: nothing, caps: [], offer: null, mode: 'act' };

function choiceOf(
  action: CompiledAction,
  question: Question,
  { model }: Scores,
  candidates: readonly Candidate[],
  expiresAt: number,
  isHeldOut: boolean,
): Choice {
  const own = action.modeFor?.(question.tenant) ?? action.mode;
  const isWithheld = question.stopped || (isHeldOut && action.isExempt !== true);
  const isJudged = action.gate !== null && own === 'act' && !isWithheld;
  const scored = isJudged
    ? candidates.find((candidate) => candidate.action === action.name)?.score
    : undefined;
  const acceptProbability = scored?.acceptProbability ?? null;
  const judged = isJudged ? judge(action, { ...question, acceptProbability, model }) : null;
  const refused = judged?.verdict ?? null;
  const mode = modeOf(own, question.stopped, isWithheld, refused !== null);
  return {
    action: action.name,
    // What nobody will see takes nothing from what people may see.
    caps: isWithheld || mode === 'review' ? [] : capsOf(action, question, question.placement),
    offer: { content: action.content, expiresAt },
    mode,
    purpose: action.purpose,
    ...(refused === null ? {} : { gate: refused }),
    ...(judged === null ? {} : { review: judged.review }),
  };
}

function modeOf(
  mode: CompiledAction['mode'],
  isStopped: boolean,
  isWithheld: boolean,
  isRefused: boolean,
): Choice['mode'] {
  if (isStopped) return 'stopped';
  if (mode === 'observe') return 'observe';
  if (isWithheld) return 'holdout';
  return isRefused ? 'review' : mode;
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
