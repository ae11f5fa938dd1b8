import type { FeatureValue, FeatureVector, LiveMessage } from '../../../schemas/index.ts';
import { sameValue } from '../format/index.ts';

export type Shown = Exclude<LiveMessage, { kind: 'skipped' }>;

export interface FeatureChange {
  readonly name: string;
  /** undefined = not seen before by this page. */
  readonly before: FeatureValue | undefined;
  readonly after: FeatureValue;
}

/** What a decision's features tell: how they differ from those of the subject's decision before. */
export interface FeaturesMessage {
  readonly kind: 'features';
  readonly at: number;
  readonly tenant: string;
  readonly subject: string;
  readonly decision: string;
  readonly changes: readonly FeatureChange[];
  readonly simulated: boolean;
}

export type RowMessage = Shown | FeaturesMessage;
export type RowKind = RowMessage['kind'];

export interface LiveRow {
  /** Unique in this page's life, growing. */
  readonly key: number;
  readonly message: RowMessage;
}

export const rowKinds: readonly { readonly kind: RowKind; readonly label: string; readonly one: string }[] = [
  { kind: 'event', label: 'Events', one: 'event' },
  { kind: 'features', label: 'Features', one: 'features' },
  { kind: 'decision', label: 'Decisions', one: 'decision' },
  { kind: 'pushed', label: 'Pushed', one: 'pushed' },
  { kind: 'exposure', label: 'Shown', one: 'shown' },
  { kind: 'outcome', label: 'Outcomes', one: 'outcome' },
  { kind: 'dead', label: 'Dead letters', one: 'dead letter' },
];

export interface LiveFilter {
  /** null = all kinds. */
  readonly kinds: ReadonlySet<RowKind> | null;
  readonly tenant: string | null;
  readonly subject: string | null;
}

/** Dead letters belong to no tenant that could be read from them, so a tenant filter lets them pass. */
export function passes(message: RowMessage, filter: LiveFilter): boolean {
  if (filter.kinds !== null && !filter.kinds.has(message.kind)) return false;
  if (message.kind === 'dead') return filter.subject === null;
  if (filter.tenant !== null && message.tenant !== filter.tenant) return false;
  return filter.subject === null || message.subject === filter.subject;
}

const rememberedSubjects = 200;

/**
 * Feature vectors of the subjects decided last, to say what changed since. `changes` answers with the values that
 * differ; at a subject's first decision with all that have a value.
 */
export function makeFeatureMemory(): { changes(key: string, now: FeatureVector): readonly FeatureChange[] } {
  const last = new Map<string, FeatureVector>();
  return {
    changes: (key, now) => {
      const before = last.get(key);
      last.delete(key);
      last.set(key, now);
      const oldest = last.keys().next();
      if (last.size > rememberedSubjects && oldest.done !== true) last.delete(oldest.value);
      return Object.entries(now).flatMap(([name, after]) => {
        const isSame = before === undefined ? after === null : sameValue(before[name], after);
        return isSame ? [] : [{ name, before: before?.[name], after }];
      });
    },
  };
}
