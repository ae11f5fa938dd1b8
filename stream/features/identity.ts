import { hashText } from './parts/hash.ts';
import { type Links, makeLinks, ownId, sight } from './parts/links.ts';
import { mostIdentifies } from './parts/moved.ts';
import { isRemembered, makeRemembered, remember } from './parts/remembered.ts';
import type { FeatureSet, SubjectState } from './port.ts';
import type { Subject } from './subject.ts';

/** Where in the log something was before it was moved to a user's partition. */
export interface Source {
  readonly partition: number;
  readonly position: number;
  readonly anonymousId: string;
}

/** How long after an anonymous id was first seen beside a user its state may still be on its way; event time. */
export const pendingMs = 600_000;

/** A moved subject's last use is written down once in so long, or eight times before it expires. */
const mostUseMs = 86_400_000;

/** Whether the subject has seen an event of this id, as far as it remembers: for a moved one, an `identify` that linked it. */
export function knowsEvent(state: SubjectState, id: string): boolean {
  const { moved, remembered } = state as Subject;
  hashText(id);
  return isRemembered(moved === null ? remembered : moved.identifiedBy);
}

/** The state becomes what is left of it when an `identify` has made it a known user's: a link. */
export function moveTo(
  features: FeatureSet,
  state: SubjectState,
  to: string,
  identify: { readonly id: string; readonly time: number; readonly isVouched: boolean },
  position: number,
): void {
  const subject = state as Subject;
  const identifiedBy = subject.moved?.identifiedBy ?? makeRemembered();
  hashText(identify.id);
  remember(identifiedBy, identify.time, mostIdentifies);
  const { slots, tables, sessions, remembered } = features.empty() as Subject;
  Object.assign(subject, { slots, tables, sessions, remembered, session: null, links: null, timers: null });
  subject.moved = { to, isVouched: identify.isVouched, identifiedBy };
  subject.position = position;
  subject.newest = Math.max(identify.time, subject.newest);
}

/** Notes that a moved subject is still in use, and whether its link is vouched for now; true if that must be stored. */
export function usedAgain(state: SubjectState, time: number, isVouched: boolean, ttlMs: number): boolean {
  const subject = state as Subject;
  const { moved } = subject;
  const isNews = isVouched && moved?.isVouched === false;
  if (isNews) subject.moved = { ...moved, isVouched };
  if (!isNews && time < subject.newest + Math.min(mostUseMs, ttlMs / 8)) return false;
  subject.newest = Math.max(subject.newest, time);
  return true;
}

/** Whether what was at this place of another partition has been applied to the state already. */
export function hasApplied(state: SubjectState, { partition, position }: Source): boolean {
  return position <= ((state as Subject).links?.applied.get(partition) ?? -1);
}

/** Notes that what was at `source` has been applied; `isState`: it was the anonymous id's whole state. */
export function noteApplied(state: SubjectState, source: Source, time: number, isState: boolean): void {
  const subject = state as Subject;
  subject.links ??= linksOf(subject);
  subject.links.applied.set(source.partition, source.position);
  if (isState) sight(subject.links, source.anonymousId, time, true);
}

/** Notes that a known user was seen together with an anonymous id. */
export function noteSighting(state: SubjectState, anonymousId: string, time: number): void {
  const subject = state as Subject;
  subject.links ??= linksOf(subject);
  sight(subject.links, anonymousId, time, false);
}

/** A user that has a history of its own was seen by its own id before any anonymous one. */
function linksOf({ position, newest }: Subject): Links {
  const links = makeLinks();
  if (position >= 0 && newest > -Infinity) sight(links, ownId, newest, true);
  return links;
}

/**
 * The ids that this person was seen as, the first seen first; empty: as this subject alone. What is only known to have
 * been beside it, and has not come, counts too.
 */
export function seenAs(state: SubjectState, subject: string): string[] {
  const { links } = state as Subject;
  return (links?.seen ?? []).map(({ anonymousId }) => (anonymousId === ownId ? subject : `a:${anonymousId}`));
}

/**
 * Anonymous ids seen beside this user for the first time less than `pendingMs` before `at`, whose state has not arrived:
 * it may be on its way, or there may be none.
 */
export function pendingTransfers(state: SubjectState, at: number): string[] {
  const { links } = state as Subject;
  if (links === null) return [];
  return links.seen
    .filter(({ hasArrived, since }) => !hasArrived && at < since + pendingMs)
    .map(({ anonymousId }) => anonymousId);
}
