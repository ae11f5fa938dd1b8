import { PresageError, partitionOf, rawIdOf, type SubjectId } from '../../core/index.ts';
import { capsOf } from '../../decisions/index.ts';
import type { CapTake, SubjectStateContents } from '../../schemas/index.ts';
import type { FeatureSet } from '../../stream/features/port.ts';
import type { EventLog } from '../../stream/log/port.ts';
import type { StateStore } from '../../stream/state/port.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';

export interface SubjectStateParts {
  readonly log: Pick<EventLog, 'partitions'>;
  readonly store: Pick<StateStore, 'load' | 'capsUsed'>;
  readonly features: FeatureSet;
  readonly workspace: CompiledWorkspace;
}

/** All that is kept of a subject, decoded, with features as of its newest event. Throws `unknown_subject`. */
export async function readSubjectState(
  { log, store, features, workspace }: SubjectStateParts,
  tenant: string,
  subject: SubjectId,
): Promise<SubjectStateContents> {
  const partition = partitionOf(rawIdOf(subject), log.partitions);
  const [blob] = await store.load(partition, [`${tenant}:${subject}`]);
  if (!blob) {
    throw new PresageError(
      'unknown_subject',
      `Nothing is known of "${subject}": no event of it has been processed, or its state has expired.`,
    );
  }
  const state = features.decode(blob);
  const contents = features.inspect(state);
  const at = Math.max(0, state.newest);
  const values = features.read(state, at);
  const takes = takesOf(workspace, { tenant, session: state.session, time: at });
  const used = await store.capsUsed(partition, tenant, subject, takes);
  return {
    tenant,
    subject,
    partition,
    position: state.position,
    newest: timeOf(state.newest),
    blob: { bytes: blob.length, version: blob[0] ?? 0 },
    session: state.session,
    sessions: features.sessionEnds(state).map(({ name, first, last }) => ({ name, first, last })),
    moved: state.moved && { to: state.moved.to, isVouched: state.moved.isVouched },
    links: contents.links,
    remembered: { ids: contents.remembered, oldest: timeOf(contents.oldestRemembered) },
    timers: {
      due: timeOf(state.indexed),
      pending: (state.timers?.pending ?? []).map(({ trigger, key, due }) => ({ trigger, key, due })),
      held: (state.timers?.held ?? []).map(({ trigger, isTrue, firedAt }) => ({
        trigger,
        isTrue,
        firedAt: timeOf(firedAt),
      })),
    },
    features: contents.slots.map(({ name, kind, words }) => ({
      name,
      kind,
      value: values[name] ?? null,
      words,
    })),
    shared: workspace.shared.map(({ name }) => name),
    caps: takes
      .map(({ cap, limit }, index) => ({ cap, limit, used: used[index] ?? 0 }))
      .filter((cap) => cap.used > 0),
  };
}

/** Every cap of the workspace, once; an action may stand in several placements. */
function takesOf(
  workspace: CompiledWorkspace,
  moment: { tenant: string; session: string | null; time: number },
) {
  const takes = [...workspace.placements.values()].flatMap((placement) =>
    placement.actions.flatMap((action) => capsOf(action, moment, placement).filter(isOfSubject)),
  );
  return [...new Map(takes.map((take) => [take.cap, take])).values()];
}

/** What all of a tenant share is not the subject's. */
const isOfSubject = ({ lease }: CapTake): boolean => lease === undefined;

/** JSON has no infinity. */
const timeOf = (time: number): number | null => (Number.isFinite(time) ? time : null);
