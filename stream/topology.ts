import type { Clock } from '../core/index.ts';
import type { Draft, Question } from '../decisions/index.ts';
import type { Scorers } from '../scorers/index.ts';
import type { CompiledWorkspace } from '../workspace/index.ts';
import type { Step } from './batch.ts';
import { decideAll } from './decide.ts';
import type { FeatureSet } from './features/port.ts';
import type { Item } from './item.ts';
import type { SharedPartition, SharedSnapshots } from './shared/index.ts';
import { applyControl } from './steps/control.ts';
import { type Decoder, decodeRecord } from './steps/decode.ts';
import { noteDismissals } from './steps/dismissals.ts';
import { updateFeatures } from './steps/features.ts';
import { followIdentity, recogniseRedelivery } from './steps/identity.ts';
import { indexMoved } from './steps/index-moved.ts';
import { releaseReviewed } from './steps/release.ts';
import { applyTick } from './steps/tick.ts';
import { placeInTime } from './steps/time.ts';
import { fireTimers } from './steps/timers.ts';
import { askTriggers } from './steps/triggers.ts';
import { watchTriggers } from './steps/watch.ts';
import { timerRules } from './timers/rules.ts';

export interface TopologyParts {
  readonly workspace: CompiledWorkspace;
  readonly features: FeatureSet;
  readonly scorers: Scorers;
  readonly clock: Clock;
  readonly partitions: number;
  /** Version of the log: part of the identity of what is moved between its partitions. Default 1. */
  readonly logVersion?: number;
  /** Gives what comes from anonymous ids the features that it was sent without (stream/rebuild/moved.ts). */
  readonly completeMoved?: ((items: readonly Item[]) => Promise<void>) | undefined;
  /** Entries of the index of timers looked at in one batch, if not the usual number: for tests of batches that end early. */
  readonly timersPerBatch?: number | undefined;
  /** Absent: the workspace has no features that subjects share. */
  readonly shared?: SharedSnapshots | undefined;
}

export interface Topology {
  readonly decoder: Decoder;
  readonly steps: readonly Step[];
  /** Whether anything in the workspace is ever due. */
  readonly hasTimers: boolean;
  readonly timerDelayMs: number;
  readonly shared: SharedPartition | null;
  readonly completeMoved: ((items: readonly Item[]) => Promise<void>) | null;
  decide(questions: readonly Question[]): Promise<Draft[]>;
}

/**
 * The whole path of an event, on one screen; stream/worker.ts walks it and stream/publish.ts commits what comes out.
 *
 *   log record ─▶ decode ─▶ control ─▶ timers ─▶ time ─▶ identity ─▶ features ─▶ triggers ─▶ decide ─▶ ONE COMMIT ─▶ outbox
 *        ▲          │dead               │due       │late    │moved      │repeat                 │rules when the          │  │
 *        │          ▼                   ▼before it ▼        ▼           ▼                       ▼budget is spent         │  ▼
 *        │     dead letters        batch report: late, clamped, forwarded, duplicates, dead                              │ push,
 *        └───────────────────────── relay: $transfer, $forward to the partition of the user ◀────────────────────────────┘ sink
 *
 * Steps see items in log order and only change the batch, so results don't depend on where batches begin and end.
 */
export function topology(
  parts: TopologyParts,
  partition: number,
  shared: SharedPartition | null = null,
): Topology {
  const { workspace, features, scorers, clock } = parts;
  const timers = { workspace, features, clock, rules: timerRules(workspace) };
  return {
    decoder: decodeRecord(workspace, partition, parts.partitions, features.properties, parts.logVersion),
    steps: [
      applyControl(),
      recogniseRedelivery(parts.logVersion ?? 1),
      fireTimers(timers, parts.timersPerBatch),
      applyTick(),
      placeInTime(workspace),
      indexMoved(timers, followIdentity(features, parts.logVersion ?? 1, timers.rules.ttlMs)),
      updateFeatures(features, shared),
      releaseReviewed(workspace),
      noteDismissals(workspace),
      askTriggers(workspace, features, clock, parts.shared),
      watchTriggers(timers),
    ],
    hasTimers: !timers.rules.isIdle,
    timerDelayMs: timers.rules.delayMs,
    shared,
    completeMoved: parts.completeMoved ?? null,
    decide: (questions) =>
      decideAll(withShared(questions, parts.shared), {
        scorers,
        scoringBudgetMs: workspace.scoringBudgetMs,
        clock,
      }),
  };
}

/** Timers and watched conditions ask without what subjects share; what they lead to may read it all the same. */
function withShared(
  questions: readonly Question[],
  shared: SharedSnapshots | undefined,
): readonly Question[] {
  if (shared === undefined) return questions;
  return questions.map((question) => {
    const reading = question.shared === undefined ? shared.read(question.tenant) : null;
    if (reading === null) return question;
    return { ...question, features: { ...question.features, ...reading.features }, shared: reading };
  });
}
