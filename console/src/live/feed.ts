import type { LiveMessage } from '../../../schemas/index.ts';
import {
  type LiveFilter,
  type LiveRow,
  makeFeatureMemory,
  passes,
  type RowKind,
  type RowMessage,
} from './rows.ts';

export const maximumRows = 200;
const rememberedPushes = 500;

export interface FeedView {
  /** Newest first, at most 200; all of them pass the filter. */
  readonly rows: readonly LiveRow[];
  /** Rows taken in since the page was opened: tells how many came while a reader was not looking. */
  readonly taken: number;
  /** Messages that the gateway counted instead of sending. */
  readonly skipped: number;
  /** How many of each kind came, filter or not. */
  readonly counts: Readonly<Record<RowKind, number>>;
}

export interface Feed {
  take(message: LiveMessage): void;
  /** From now on only what passes is taken in; what was taken stays until it is pushed out. */
  setFilter(filter: LiveFilter): void;
  view(): FeedView;
  /** When this page saw the offer of a decision pushed; null if it didn't. */
  pushedAt(decision: string): number | null;
}

/** Memory is fixed: 200 rows, 200 feature vectors, 500 push times. */
export function makeFeed(): Feed {
  const memory = makeFeatureMemory();
  const pushes = new Map<string, number>();
  const counts: Record<RowKind, number> = {
    event: 0,
    features: 0,
    decision: 0,
    pushed: 0,
    exposure: 0,
    outcome: 0,
    dead: 0,
  };
  const ring: LiveRow[] = [];
  let filter: LiveFilter = { kinds: null, tenant: null, subject: null };
  let taken = 0;
  let skipped = 0;

  function add(message: RowMessage): void {
    counts[message.kind]++;
    if (!passes(message, filter)) return;
    ring.unshift({ key: ++taken, message });
    if (ring.length > maximumRows) ring.pop();
  }

  function addFeatures(message: Extract<LiveMessage, { kind: 'decision' }>): void {
    const { at, tenant, subject, id, simulated, features } = message;
    const changes = memory.changes(`${tenant} ${subject}`, features);
    if (changes.length > 0) {
      add({ kind: 'features', at, tenant, subject, decision: id, changes, simulated });
    }
  }

  return {
    take: (message) => {
      if (message.kind === 'skipped') {
        skipped += message.count;
        return;
      }
      if (message.kind === 'decision') addFeatures(message);
      if (message.kind === 'pushed') {
        pushes.set(message.decision, message.at);
        const oldest = pushes.keys().next();
        if (pushes.size > rememberedPushes && oldest.done !== true) pushes.delete(oldest.value);
      }
      add(message);
    },
    setFilter: (next) => {
      filter = next;
    },
    view: () => ({
      rows: ring.filter((row) => passes(row.message, filter)),
      taken,
      skipped,
      counts: { ...counts },
    }),
    pushedAt: (decision) => pushes.get(decision) ?? null,
  };
}
