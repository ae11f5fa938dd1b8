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
} from '../core/index.ts';
import { arbitrate, type Draft, finishDecision, type Question } from '../decisions/index.ts';
import type { DecideRequest } from '../schemas/api.ts';
import type { DecisionDraft, DecisionRecord } from '../schemas/index.ts';
import type { CompiledPlacement, CompiledWorkspace } from '../workspace/index.ts';
import { type DecideParts, decideAll } from './decide.ts';
import type { FeatureSet } from './features/port.ts';
import { decodePartitionState } from './partition-state.ts';
import { payloadOf } from './publish.ts';
import type { StateStore } from './state/port.ts';

export interface RequestParts extends Omit<DecideParts, 'scoringBudgetMs'> {
  readonly workspace: CompiledWorkspace;
  readonly features: FeatureSet;
  readonly store: StateStore;
  readonly partitions: number;
  readonly logger: Logger;
  /** The stop switch, which may be ahead of the subject's partition. */
  readonly isStopped?: (tenant: string) => boolean;
}

/** Milliseconds within which a request is answered, with or without the state store. */
export const requestDeadlineMs = 50;

/** How long the answer to a request id is kept for repeats of it. */
const keepAnswersMs = 600_000;

/**
 * The request path: reads the subject's state, decides, and takes caps and publishes in one atomic step. When Redis
 * does not answer within the deadline nothing capped can be offered: the answer is then nothing, `recorded: false`.
 * Throws PresageError `unknown_placement`.
 */
export function makeRequestDecider(
  parts: RequestParts,
): (request: DecideRequest) => Promise<DecisionRecord[]> {
  const { workspace, features, store, clock } = parts;

  return async function decide(request) {
    const placements = request.placements.map((name) => placementNamed(workspace, name));
    const partition = partitionOf(rawIdOf(asSubjectId(request.subject)), parts.partitions);
    const deadline = clock.monotonic() + requestDeadlineMs;
    try {
      const questions = await within(deadline, clock, ask(request, placements, partition));
      const drafts = await decideAll(questions, {
        scorers: parts.scorers,
        scoringBudgetMs: Math.max(0, Math.min(workspace.scoringBudgetMs, deadline - clock.monotonic())),
        clock,
      });
      return await within(
        deadline,
        clock,
        Promise.all(drafts.map((draft) => record(draft, request, partition, deadline))),
      );
    } catch (error) {
      if (error instanceof PresageError && !error.retriable) throw error;
      parts.logger.warn(
        { tenant: request.tenant, requestId: request.requestId, err: messageOf(error) },
        'Answered without the state store',
      );
      return placements.map((placement) => unrecorded(request, placement, partition));
    }
  };

  async function ask(
    request: DecideRequest,
    placements: readonly CompiledPlacement[],
    partition: number,
  ): Promise<Question[]> {
    const begun = clock.monotonic();
    const [blobs, partitionBytes] = await Promise.all([
      store.load(partition, [`${request.tenant}:${request.subject}`]),
      store.partitionState(partition),
    ]);
    const state = blobs[0] ? features.decode(blobs[0]) : features.empty();
    const values = features.read(state, request.receivedAt);
    const isStopped =
      parts.isStopped?.(request.tenant) === true ||
      decodePartitionState(partitionBytes).stopped.has(request.tenant);
    const featuresMs = clock.monotonic() - begun;
    return placements.map((placement) => ({
      ...questionOf(request, placement, partition),
      session: request.session ?? state.session,
      log: { partition, position: state.position },
      features: values,
      stopped: isStopped,
      featuresMs,
    }));
  }

  async function record(
    draft: Draft,
    request: DecideRequest,
    partition: number,
    deadline: number,
  ): Promise<DecisionRecord> {
    const outcome = await store.request(partition, {
      idempotencyKey: draft.record.id,
      tenant: request.tenant,
      subject: request.subject,
      payload: payloadOf(draft),
      choices: draft.choices,
      keepMs: keepAnswersMs,
      patienceMs: Math.max(0, deadline - clock.monotonic()),
    });
    const { record: first, choices } =
      outcome.kind === 'repeated' ? (JSON.parse(outcome.payload) as DecisionDraft) : draft;
    parts.logger.debug(
      { tenant: request.tenant, requestId: request.requestId, decision: first.id, outcome: outcome.kind },
      'Decided on request',
    );
    return finishDecision(first, choices, outcome.resolution);
  }

  function unrecorded(
    request: DecideRequest,
    placement: CompiledPlacement,
    partition: number,
  ): DecisionRecord {
    const question = questionOf(request, placement, partition);
    const none = {
      acceptProbabilities: [],
      rung: 'default',
      rungReason: 'state_unavailable',
      model: null,
      scoringMs: 0,
    } as const;
    const { record: draft } = arbitrate(question, { contenders: [], out: [] }, none, clock.now());
    return { ...draft, recorded: false };
  }

  function questionOf(request: DecideRequest, placement: CompiledPlacement, partition: number): Question {
    return {
      id: decisionIdOf(asTenantId(request.tenant), request.subject, request.requestId, placement.name),
      tenant: request.tenant,
      subject: request.subject,
      session: request.session,
      placement,
      startedBy: { kind: 'request', request: request.requestId },
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

async function within<T>(deadline: number, clock: Clock, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new PresageError('deadline_passed', 'The state store did not answer within the deadline.', {
            retriable: true,
          }),
        ),
      Math.max(0, deadline - clock.monotonic()),
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}
