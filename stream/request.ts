import {
  asSubjectId,
  asTenantId,
  type Clock,
  decisionIdOf,
  type Logger,
  messageOf,
  PresageError,
  partitionOf,
  rawIdOf,
  within,
} from '../core/index.ts';
import { arbitrate, type Draft, finishDecision, type Question } from '../decisions/index.ts';
import type { DecideRequest } from '../schemas/api.ts';
import type { DecisionDraft, DecisionIdentity, DecisionRecord } from '../schemas/index.ts';
import { breakerSettings, makeBreaker } from '../scorers/index.ts';
import type { CompiledPlacement, CompiledWorkspace } from '../workspace/index.ts';
import { type Admission, makeAdmission } from './admission.ts';
import { type DecideParts, decideAll } from './decide.ts';
import { type FeatureSet, pendingTransfers, type SubjectState, seenAs } from './features/index.ts';
import type { Lookups } from './lookups.ts';
import { decodePartitionState } from './partition-state.ts';
import { payloadOf } from './publish.ts';
import type { RequestMetrics } from './request-metrics.ts';
import type { SharedSnapshots } from './shared/index.ts';
import type { StateStore } from './state/port.ts';

export interface RequestParts extends Pick<DecideParts, 'scorers' | 'clock'> {
  readonly workspace: CompiledWorkspace;
  readonly features: FeatureSet;
  readonly store: StateStore;
  readonly partitions: number;
  readonly logger: Logger;
  /** Absent: the workspace has no features that subjects share. */
  readonly shared?: SharedSnapshots | undefined;
  /** The stop switch, which may be ahead of the subject's partition. */
  readonly isStopped?: (tenant: string) => boolean;
  /** Absent: no business system is asked. */
  readonly lookups?: Lookups;
  /** Of all that decide in this process. Absent: of this one alone. */
  readonly admission?: Admission;
  readonly metrics?: RequestMetrics;
}

/** The subject whose state and caps a decision is made from. */
interface Place {
  readonly partition: number;
  readonly subject: string;
  readonly state: SubjectState;
  readonly isStopped: boolean;
  /** Whom the decision is about. */
  readonly decidesFor: string;
  readonly identity: DecisionIdentity | undefined;
  readonly readMs: number;
}

/** Milliseconds within which a request is answered that names no deadline, with or without the state store. */
export const requestDeadlineMs = 50;
/** Answering takes a moment itself, and timers are late by up to one. */
const marginMs = 2;
/** Of what is left once the state was read, for business systems; */
const lookupShare = 0.4;
/** and of what is left then, for scoring: after it the decision has to be committed. */
const scoringShare = 0.7;
/** More in a row than a busy moment brings, so that nobody waits for the deadline while the store is away. */
const storeBreaker = { ...breakerSettings, failuresInARow: 20, calls: 40 };

/** How long the answer to a request id is kept for repeats of it. */
const keepAnswersMs = 600_000;

/**
 * The request path: reads the subject's state, decides, and takes caps and publishes in one atomic step. When Redis
 * does not answer within the deadline nothing capped can be offered: the answer is then the placement's default, or
 * nothing, `recorded: false`.
 * Throws PresageError `unknown_placement`, `idempotency_key_reused`, and under overload `too_many_requests` (retriable).
 */
export function makeRequestDecider(
  parts: RequestParts,
): (request: DecideRequest) => Promise<DecisionRecord[]> {
  const { workspace, features, store, clock } = parts;
  const admission = parts.admission ?? makeAdmission();
  const breaker = makeBreaker(clock, storeBreaker);
  const warn = rarely(clock);

  return async function decide(request) {
    const begun = clock.monotonic();
    const placements = request.placements.map((name) => placementNamed(workspace, name));
    const admitted = admission.enter();
    try {
      const decided = await decideWithin(request, placements, admitted.isOverloaded, begun);
      for (const { rung, rungReason, recorded } of decided)
        parts.metrics?.decisions.inc({ rung, reason: rungReason, recorded: String(recorded) });
      parts.metrics?.seconds.observe((clock.monotonic() - begun) / 1_000);
      return decided;
    } finally {
      admitted.leave();
    }
  };

  async function decideWithin(
    request: DecideRequest,
    placements: readonly CompiledPlacement[],
    isOverloaded: boolean,
    begun: number,
  ): Promise<DecisionRecord[]> {
    const partition = partitionFor(request.subject);
    const deadline = begun + (request.deadlineMs ?? requestDeadlineMs) - marginMs;
    const left = (): number => Math.max(0, deadline - clock.monotonic());
    const inTime = <T>(work: Promise<T>): Promise<T> => within(work, left(), deadlinePassed);
    const unanswered = (): DecisionRecord[] =>
      placements.map((placement) => unrecorded(request, placement, partition));
    if (!breaker.mayCall()) return unanswered();
    try {
      for (;;) {
        const place = await inTime(locate(request, partition));
        const lookups = await parts.lookups?.read(
          { ...request, subject: place.decidesFor },
          left() * lookupShare,
        );
        const questions = ask(request, placements, place).map((question) =>
          lookups === undefined ? question : { ...question, lookups },
        );
        const drafts = await decideAll(questions, {
          scorers: parts.scorers,
          scoringBudgetMs: Math.min(workspace.scoringBudgetMs, left() * scoringShare),
          clock,
          isOverloaded,
        });
        const records = await inTime(
          Promise.all(drafts.map((draft) => record(draft, request, partition, place, deadline))),
        );
        // The state went to a user after it had been read: once more, from there.
        if (records.every((each) => each !== 'moved')) {
          breaker.succeeded();
          return records;
        }
      }
    } catch (error) {
      if (error instanceof PresageError && !error.retriable) {
        breaker.succeeded();
        throw error;
      }
      breaker.failed(clock.monotonic() - deadline);
      warn((others) =>
        parts.logger.warn(
          { tenant: request.tenant, requestId: request.requestId, err: messageOf(error), others },
          'Answered without the state store',
        ),
      );
      return unanswered();
    }
  }

  function partitionFor(subject: string): number {
    return partitionOf(rawIdOf(asSubjectId(subject)), parts.partitions);
  }

  /** Where the state of the subject is that was asked for: with it, or with the user that it became. */
  async function locate(request: DecideRequest, partition: number): Promise<Place> {
    const begun = clock.monotonic();
    const own = await read(request.tenant, request.subject, partition);
    const { moved } = own.state;
    if (moved === null) {
      const pending = pendingTransfers(own.state, request.receivedAt);
      const identity = pending.length > 0 ? { pendingTransfers: pending } : undefined;
      return { ...own, decidesFor: request.subject, identity, readMs: clock.monotonic() - begun };
    }
    const user = `u:${moved.to}`;
    const theirs = await read(request.tenant, user, partitionFor(user));
    const readMs = clock.monotonic() - begun;
    if (request.mayNameUsers === true || moved.isVouched)
      return { ...theirs, decidesFor: user, identity: { askedFor: request.subject }, readMs };
    // Whoever holds the anonymous id is not known to be this user: caps count, what is known of the user does not.
    const state = features.empty();
    return { ...theirs, state, decidesFor: request.subject, identity: { hasMoved: true }, readMs };
  }

  async function read(
    tenant: string,
    subject: string,
    partition: number,
  ): Promise<Pick<Place, 'partition' | 'subject' | 'state' | 'isStopped'>> {
    const [blobs, partitionBytes] = await Promise.all([
      store.load(partition, [`${tenant}:${subject}`]),
      store.partitionState(partition),
    ]);
    const state = blobs[0] ? features.decode(blobs[0]) : features.empty();
    return {
      partition,
      subject,
      state,
      isStopped:
        parts.isStopped?.(tenant) === true || decodePartitionState(partitionBytes).stopped.has(tenant),
    };
  }

  function ask(request: DecideRequest, placements: readonly CompiledPlacement[], place: Place): Question[] {
    const begun = clock.monotonic();
    const own = features.read(place.state, request.receivedAt);
    const featuresMs = place.readMs + clock.monotonic() - begun;
    return placements.map((placement) => {
      const shared = parts.shared?.read(request.tenant) ?? null;
      return {
        ...questionOf(request, placement, place.partition),
        subject: place.decidesFor,
        session: request.session ?? place.state.session,
        log: { partition: place.partition, position: place.state.position },
        features: shared === null ? own : { ...own, ...shared.features },
        ...(shared === null ? {} : { shared }),
        ...(place.identity === undefined ? {} : { identity: place.identity }),
        seenAs: seenAs(place.state, place.decidesFor),
        stopped: place.isStopped,
        featuresMs,
      };
    });
  }

  async function record(
    draft: Draft,
    request: DecideRequest,
    partition: number,
    place: Place,
    deadline: number,
  ): Promise<DecisionRecord | 'moved'> {
    const commit = {
      idempotencyKey: draft.record.id,
      tenant: request.tenant,
      payload: payloadOf(draft),
      choices: draft.choices,
      ...(draft.slots === undefined ? {} : { slots: draft.slots }),
      keepMs: keepAnswersMs,
      forgetAt: request.receivedAt + workspace.stateTtlMs,
      patienceMs: Math.max(0, deadline - clock.monotonic()),
    };
    // Where it was asked first: a repeat from before the move gets its first answer.
    let outcome = await store.request(partition, { ...commit, subject: request.subject });
    if (outcome.kind === 'moved' && place.subject !== request.subject)
      outcome = await store.request(place.partition, { ...commit, subject: place.subject });
    if (outcome.kind === 'moved') return 'moved';
    const {
      record: first,
      choices,
      slots,
    } = outcome.kind === 'repeated' ? (JSON.parse(outcome.payload) as DecisionDraft) : draft;
    refuseOther(first, request);
    parts.logger.debug(
      { tenant: request.tenant, requestId: request.requestId, decision: first.id, outcome: outcome.kind },
      'Decided on request',
    );
    return finishDecision(first, choices, outcome.resolution, slots);
  }

  function unrecorded(
    request: DecideRequest,
    placement: CompiledPlacement,
    partition: number,
  ): DecisionRecord {
    const question = {
      ...questionOf(request, placement, partition),
      stopped: parts.isStopped?.(request.tenant) === true,
    };
    const none = {
      acceptProbabilities: [],
      rung: 'default',
      rungReason: 'state_unavailable',
      model: null,
      scoringMs: 0,
      explores: false,
    } as const;
    const { record: draft } = arbitrate(question, { contenders: [], out: [] }, none, clock.now());
    const { defaultAction } = placement;
    const isHeldOut = draft.holdout?.arm === 'held_out' && defaultAction?.isExempt !== true;
    if (defaultAction === undefined || isHeldOut) return { ...draft, recorded: false };
    return {
      ...draft,
      action: defaultAction.name,
      offer: { content: defaultAction.content, expiresAt: request.receivedAt + placement.expiresMs },
      recorded: false,
    };
  }

  function questionOf(request: DecideRequest, placement: CompiledPlacement, partition: number): Question {
    return {
      id: decisionIdOf(
        asTenantId(request.tenant),
        request.subject,
        request.requestId,
        'request',
        placement.name,
      ),
      tenant: request.tenant,
      subject: request.subject,
      session: request.session,
      placement,
      startedBy: {
        kind: 'request',
        request: request.requestId,
        ...(request.fingerprint === undefined ? {} : { fingerprint: request.fingerprint }),
      },
      time: request.receivedAt,
      simulated: request.simulated,
      log: { partition, position: -1 },
      features: {},
      event: null,
      context: request.context,
      receivedAt: request.receivedAt,
      workspace: workspace.hash,
      stopped: false,
      featuresMs: 0,
    };
  }
}

function placementNamed(workspace: CompiledWorkspace, name: string): CompiledPlacement {
  const placement = workspace.placements.get(name);
  if (placement !== undefined) return placement;
  throw new PresageError(
    'unknown_placement',
    `Placement "${name}" is not in the workspace; it has: ${[...workspace.placements.keys()].join(', ') || 'none'}.`,
  );
}

/** Under an idempotency key that was used for another question, the first answer would be the wrong one. */
function refuseOther({ startedBy }: DecisionRecord, { fingerprint }: DecideRequest): void {
  const before = startedBy.kind === 'request' ? startedBy.fingerprint : undefined;
  if (before === undefined || fingerprint === undefined || before === fingerprint) return;
  throw new PresageError(
    'idempotency_key_reused',
    'This Idempotency-Key was sent before with another body; use a new key for a new question.',
  );
}

/** Says at most once a second what would be said a thousand times. */
function rarely(clock: Clock): (say: (others: number) => void) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  let others = 0;
  return (say) => {
    if (clock.monotonic() - saidAt < 1_000) {
      others += 1;
      return;
    }
    saidAt = clock.monotonic();
    say(others);
    others = 0;
  };
}

const deadlinePassed = (): PresageError =>
  new PresageError('deadline_passed', 'The state store did not answer within the deadline.', {
    retriable: true,
  });
