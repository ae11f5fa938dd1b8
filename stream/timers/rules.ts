import type {
  AbsenceTrigger,
  CompiledTrigger,
  CompiledWorkspace,
  ConditionTrigger,
  SessionEndTrigger,
} from '../../workspace/index.ts';
import type { FeatureSet, SubjectState } from '../features/port.ts';
import { earliestPending, type SessionEnd, type Timers } from '../features/timers/index.ts';

/** Allowed lateness of event types that declare none. */
export const defaultLatenessMs = 3_600_000;

/** What of a workspace concerns timers, found once. */
export interface TimerRules {
  /** Nothing in this workspace is ever due, and no condition is watched: nothing is to be done for an event. */
  readonly isIdle: boolean;
  /** No trigger watches or waits: of all timers there is only forgetting. */
  readonly onlyForgets: boolean;
  readonly delayMs: number;
  /** Infinity, which no workspace says: subjects are never forgotten. */
  readonly ttlMs: number;
  /** Infinity: no trigger asks for the ends of sessions. */
  readonly gapMs: number;
  readonly conditions: readonly ConditionTrigger[];
  readonly sessionEnds: readonly SessionEndTrigger[];
  /** By event type: what it begins to wait for, and what it ends. */
  readonly absences: ReadonlyMap<string, AbsenceRules>;
  readonly byName: ReadonlyMap<string, CompiledTrigger>;
}

export interface AbsenceRules {
  readonly begins: readonly AbsenceTrigger[];
  readonly ends: readonly AbsenceTrigger[];
}

export function timerRules(workspace: CompiledWorkspace): TimerRules {
  const { triggers } = workspace;
  const conditions = triggers.filter((trigger) => trigger.kind === 'condition');
  const sessionEnds = triggers.filter((trigger) => trigger.kind === 'session_end');
  const waits = triggers.filter((trigger) => trigger.kind === 'absence');
  const types = new Set(waits.flatMap(({ after, absent }) => [after, ...absent]));
  const ttlMs = workspace.stateTtlMs;
  const onlyForgets = conditions.length + sessionEnds.length + waits.length === 0;
  return {
    isIdle: onlyForgets && ttlMs === Infinity,
    onlyForgets,
    delayMs: workspace.timersDelayMs,
    ttlMs,
    gapMs: sessionEnds.length === 0 ? Infinity : workspace.sessionGapMs,
    conditions,
    sessionEnds,
    absences: new Map(
      [...types].map((type) => [
        type,
        {
          begins: waits.filter(({ after }) => after === type),
          ends: waits.filter(({ absent }) => absent.has(type)),
        },
      ]),
    ),
    byName: new Map(triggers.map((trigger) => [trigger.name, trigger])),
  };
}

/** When the next of a subject's timers is due, by what its state says now; Infinity: never. */
export interface Due {
  /** A wait or the end of a session. */
  readonly timer: number;
  /** When it will be forgotten. */
  readonly expiry: number;
}

export function dueOf(state: SubjectState, features: FeatureSet, rules: TimerRules): Due {
  const { timers } = state;
  let timer = timers === null ? Infinity : earliestPending(timers);
  for (const end of openEnds(state, features, rules)) timer = Math.min(timer, end.due);
  const activity = rules.ttlMs === Infinity ? -Infinity : features.activity(state);
  return { timer, expiry: activity === -Infinity ? Infinity : activity + rules.ttlMs };
}

/** Ends of sessions that have not been told. */
export function openEnds(state: SubjectState, features: FeatureSet, rules: TimerRules): SessionEnd[] {
  if (rules.gapMs === Infinity) return [];
  const { timers } = state;
  return features.sessionEnds(state).filter((end) => timers === null || !isTold(timers, end));
}

/** What has been told of is not told of again, however it grows afterwards. */
export const isTold = ({ ended }: Timers, { name, first, last }: SessionEnd): boolean =>
  ended.some((told) => told.name === name && told.last >= first && told.last <= last);
