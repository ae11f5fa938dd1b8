import type { Logger } from '../../core/index.ts';
import type {
  BatchReport,
  DeadLetter,
  DecisionDraft,
  DecisionRecord,
  StoredEvent,
} from '../../schemas/index.ts';
import type { EventLog, NewRecord } from '../../stream/log/port.ts';
import type { OutboxItem, StateStore } from '../../stream/state/port.ts';

/** What one record of the log is, and what the worker found of it. */
export type RecordSpec =
  | {
      readonly kind: 'event';
      readonly lateMs?: number;
      readonly isClamped?: boolean;
      readonly event?: Partial<StoredEvent>;
    }
  | { readonly kind: 'duplicate'; readonly event?: Partial<StoredEvent> }
  | { readonly kind: 'dead'; readonly source?: string }
  | { readonly kind: 'exposure' | 'outcome'; readonly decision: string }
  | { readonly kind: 'control' };

/** One commit of the worker: its records, the decisions they led to, and requests that came before it. */
export interface CommitSpec {
  readonly records: readonly RecordSpec[];
  readonly decisions?: readonly string[];
  readonly requests?: readonly string[];
}

export const baseTime = Date.UTC(2026, 0, 15);

/** The event of a spec: a function of its place, so that every run writes the same bytes. */
export function eventOf(partition: number, position: number, spec: RecordSpec): StoredEvent {
  const id = `e-${partition}-${position}`;
  const common = {
    v: 1 as const,
    id,
    tenant: 'shop',
    userId: `user${position % 7}`,
    session: `s${position % 3}`,
    time: baseTime - position * 1_000,
    source: 'http',
  };
  switch (spec.kind) {
    case 'exposure':
      return {
        ...common,
        type: '$exposure',
        properties: { decision: spec.decision, action: 'voucher', placement: 'home' },
      };
    case 'outcome':
      return {
        ...common,
        // As the engine makes it: the same report is the same event.
        id: `outcome-${spec.decision}`,
        type: '$outcome',
        properties: { decision: spec.decision, action: 'voucher', placement: 'home', outcome: 'accepted' },
      };
    case 'control':
      return { ...common, type: '$session', properties: { state: 'connected' } };
    default:
      return {
        ...common,
        type: 'page_viewed',
        properties: { url: `/p/${position}`, name: 'Grüße "x" \\ \n' },
        schema: 'abc',
        ...('event' in spec ? spec.event : {}),
      };
  }
}

export function decisionOf(
  partition: number,
  position: number,
  id: string,
  change: Partial<DecisionRecord> = {},
): DecisionRecord {
  return {
    id,
    tenant: 'shop',
    subject: 'u:user1',
    session: 's1',
    placement: 'home',
    startedBy: {
      kind: 'trigger',
      trigger: 'stalled',
      event: `e-${partition}-${position}`,
      eventType: 'page_viewed',
    },
    time: baseTime,
    simulated: false,
    log: { partition, position },
    features: { views: position, last: 'shoes' },
    context: {},
    candidates: [
      {
        action: 'voucher',
        verdict: { stage: 'arbitration', rule: 'outranked', saw: {} },
        rank: 1,
        score: { acceptProbability: 0.25, contextWeight: 1, value: 2, lever: 1, priority: 0.5 },
      },
      { action: 'hint', verdict: { stage: 'eligibility', rule: 'views > 3', saw: { views: 1 } } },
    ],
    available: [],
    capsSeen: [],
    action: null,
    choicePropensity: 1,
    deterministic: true,
    rung: 'champion',
    rungReason: 'ok',
    model: { id: 'accept', version: '1', sha256: 'ff' },
    policy: 'p1',
    workspace: 'w1',
    mode: 'act',
    purpose: null,
    offer: null,
    recorded: true,
    lookups: [],
    timings: {
      receivedAt: baseTime,
      decidedAt: baseTime + position,
      featuresMs: 0.1,
      scoringMs: 0.2,
      totalMs: 1.5,
    },
    ...change,
  };
}

const draftOf = (record: DecisionRecord): DecisionDraft => ({
  record,
  choices: [
    {
      action: 'voucher',
      caps: [],
      offer: { content: { text: '5 €' }, expiresAt: baseTime + 60_000 },
      mode: 'act',
    },
  ],
});

/** Appends the records to the log and commits what the worker would have. */
export async function play(
  log: EventLog,
  store: StateStore,
  partition: number,
  commits: readonly CommitSpec[],
): Promise<void> {
  for (const commit of commits) {
    let requested = 0;
    for (const id of commit.requests ?? []) {
      const draft = draftOf(
        decisionOf(partition, requested++, id, { startedBy: { kind: 'request', request: `r-${id}` } }),
      );
      await store.request(partition, {
        idempotencyKey: id,
        tenant: 'shop',
        subject: 'u:user1',
        payload: JSON.stringify(draft),
        choices: draft.choices,
        keepMs: 60_000,
      });
    }
    if (commit.records.length > 0) await commitRecords(log, store, partition, commit);
  }
}

async function commitRecords(
  log: EventLog,
  store: StateStore,
  partition: number,
  commit: CommitSpec,
): Promise<void> {
  const head = await store.head(partition);
  const first = head.position;
  const records = commit.records.map((spec, i): NewRecord => {
    const bytes =
      spec.kind === 'dead'
        ? Buffer.from(`not json ${first + i} \xff`, 'latin1')
        : Buffer.from(JSON.stringify(eventOf(partition, first + i, spec)));
    return { partition, key: `user${(first + i) % 7}`, value: bytes };
  });
  await log.append(records);
  const positions = (test: (spec: RecordSpec) => boolean): number[] =>
    commit.records.flatMap((spec, i) => (test(spec) ? [first + i] : []));
  const report: BatchReport = {
    first,
    last: first + records.length - 1,
    duplicates: positions((spec) => spec.kind === 'duplicate'),
    dead: positions((spec) => spec.kind === 'dead'),
    late: commit.records.flatMap((spec, i) =>
      spec.kind === 'event' && spec.lateMs ? [[first + i, spec.lateMs] as const] : [],
    ),
    clamped: positions((spec) => spec.kind === 'event' && spec.isClamped === true),
  };
  const outbox: OutboxItem[] = [];
  for (const position of report.dead) {
    const spec = commit.records[position - first];
    const letter: DeadLetter = {
      partition,
      position,
      appendedAt: baseTime,
      code: 'not_json',
      message: 'The record is not JSON.',
      bytes: Buffer.from(records[position - first]?.value ?? []).toString('base64'),
      tenant: null,
      eventId: null,
      source: spec?.kind === 'dead' ? (spec.source ?? null) : null,
    };
    outbox.push({ kind: 'dead', payload: JSON.stringify(letter) });
  }
  for (const id of commit.decisions ?? []) {
    const draft = draftOf(decisionOf(partition, first, id));
    outbox.push({
      kind: 'decision',
      tenant: 'shop',
      subject: 'u:user1',
      payload: JSON.stringify(draft),
      choices: draft.choices,
    });
  }
  outbox.push({ kind: 'batch', payload: JSON.stringify(report) });
  await store.commit(partition, {
    previous: head.commitId,
    id: `commit-${partition}-${head.sequence + 1}`,
    position: report.last + 1,
    blobs: [],
    partitionState: null,
    outbox,
  });
}

/** What should be in ClickHouse: a plain fold over the specs, sharing no code with the sink. */
export interface Expected {
  events: string[];
  duplicates: string[];
  deadLetters: string[];
  controlEvents: string[];
  decisions: string[];
  exposures: string[];
  outcomes: string[];
}

export const nothing = (): Expected => ({
  events: [],
  duplicates: [],
  deadLetters: [],
  controlEvents: [],
  decisions: [],
  exposures: [],
  outcomes: [],
});

export function fold(
  partition: number,
  commits: readonly CommitSpec[],
  into: Expected = nothing(),
): Expected {
  let position = 0;
  const addOnce = (list: string[], item: string): void => {
    if (!list.includes(item)) list.push(item);
  };
  for (const { records, decisions = [], requests = [] } of commits) {
    for (const id of requests) addOnce(into.decisions, id);
    if (records.length > 0) for (const id of decisions) addOnce(into.decisions, id);
    for (const spec of records) {
      const place = `${partition}/${position}`;
      if (spec.kind === 'event')
        into.events.push(
          `${place} e-${partition}-${position} late=${spec.lateMs ?? 0} clamped=${spec.isClamped ?? false}`,
        );
      if (spec.kind === 'duplicate') into.duplicates.push(place);
      if (spec.kind === 'dead') into.deadLetters.push(place);
      if (spec.kind === 'control') into.controlEvents.push(place);
      if (spec.kind === 'exposure') addOnce(into.exposures, spec.decision);
      if (spec.kind === 'outcome') addOnce(into.outcomes, spec.decision);
      position++;
    }
  }
  for (const list of Object.values(into)) list.sort();
  return into;
}

/** What is in ClickHouse, in the form of `Expected`. */
export async function contents(warehouse: { rows<T>(sql: string): Promise<T[]> }): Promise<Expected> {
  const list = async (what: string, from: string): Promise<string[]> =>
    (await warehouse.rows<{ x: string }>(`SELECT ${what} AS x FROM ${from}`)).map(({ x }) => x).sort();
  const place = "concat(toString(partition), '/', toString(position))";
  return {
    events: await list(
      `concat(${place}, ' ', id, ' late=', toString(late_ms), ' clamped=', toString(clamped))`,
      'events',
    ),
    duplicates: await list(place, 'duplicates'),
    deadLetters: await list(place, 'dead_letters'),
    controlEvents: await list(place, 'control_events'),
    decisions: await list('id', 'decisions'),
    exposures: await list('decision', 'exposures'),
    outcomes: await list('decision', 'outcomes'),
  };
}

export const quiet: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => quiet,
};
