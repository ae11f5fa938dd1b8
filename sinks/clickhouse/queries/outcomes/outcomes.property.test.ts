import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type EventFact,
  type Facts,
  type Labelled,
  labelsOf,
  type Rules,
} from '../../../../tests/reference/outcomes.ts';
import type { CompiledOutcomes } from '../../../../workspace/index.ts';
import { compileExpression } from '../../../../workspace/index.ts';
import { openEmbeddedWarehouse, type Warehouse } from '../../index.ts';
import { labelsSql } from './labels.ts';
import { metricNames, type OutcomeScope, scopeParameters } from './scope.ts';

const where = compileExpression('event.total > 0', 'bool', {
  features: null,
  event: { properties: new Map(), isOpen: true },
  action: null,
  context: false,
});
if (!where.ok) throw new Error('The condition of this test is wrong.');

const outcomes: CompiledOutcomes = {
  timeoutMs: 20,
  windowMs: 60,
  scale: 2,
  metrics: [
    {
      name: 'purchase',
      types: ['order', 'renewal'],
      where: where.expression,
      value: 'total',
      scale: 2,
      oncePer: 'order_id',
      decision: 'offer',
      windowMs: 60,
      timeoutMs: 25,
    },
    {
      name: 'visit',
      types: ['page'],
      where: null,
      value: null,
      scale: 2,
      oncePer: null,
      decision: null,
      windowMs: 15,
      timeoutMs: 15,
    },
  ],
};
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const rules: Rules = {
  ...outcomes,
  metrics: outcomes.metrics.map((metric) => ({
    ...metric,
    holds: ({ total }) => metric.name !== 'purchase' || number(total) > 0,
    amount: ({ total }) => (metric.value === null ? 0 : Math.round(number(total) * 100)),
  })),
};

/** Everything happens within this many milliseconds after its beginning. */
const span = 120;
const day = (run: number): number => Date.UTC(2026, 0, 15) + run * 2 * 86_400_000;
const tenants = ['shop', 'rival'] as const;
const users = ['ann', 'bob'] as const;
const visitors = ['x', 'y'] as const;
const decisionIds = ['d0', 'd1', 'd2', 'd3', 'd4'] as const;

// Mostly one tenant, so that there is much in it.
const tenant = fc.constantFrom(tenants[0], tenants[0], tenants[0], tenants[1]);
const who = fc.constantFrom('u:ann', 'u:ann', 'a:x', 'a:x', 'a:y', 'u:bob');
const decision = fc.constantFrom(...decisionIds);
/** Milliseconds since what came before, and how much earlier it had happened. */
const gap = fc.integer({ min: 0, max: 6 });
const lag = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }) },
);

type Step =
  | { readonly kind: 'decide'; readonly tenant: string; readonly id: string; readonly simulated: boolean }
  | {
      readonly kind: 'show';
      readonly tenant: string;
      readonly id: string;
      readonly subject: string;
    }
  | {
      readonly kind: 'report';
      readonly tenant: string;
      readonly id: string;
      readonly subject: string;
      readonly outcome: string;
      readonly report: string;
      readonly value: number | null;
    }
  | {
      readonly kind: 'act';
      readonly tenant: string;
      readonly subject: string;
      readonly id: string;
      readonly type: string;
      readonly simulated: boolean;
      readonly properties: Record<string, unknown>;
    }
  | {
      readonly kind: 'identify';
      readonly tenant: string;
      readonly visitor: string;
      readonly user: string;
    };

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('show' as const),
      tenant,
      id: decision,
      subject: who,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      tenant,
      id: decision,
      subject: who,
      outcome: fc.constantFrom('accepted', 'dismissed', 'expired', 'ignored', 'converted'),
      report: fc.constantFrom('r1', 'r2', 'r3'),
      value: fc.constantFrom(null, 10.1, 0.07, 1999.99),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      tenant,
      subject: who,
      id: fc.constantFrom('e0', 'e1', 'e2', 'e3', 'e4', 'e5'),
      type: fc.constantFrom('order', 'order', 'renewal', 'page', 'search'),
      simulated: fc.constantFrom(false, false, false, false, true),
      properties: fc.record({
        order_id: fc.constantFrom(undefined, undefined, 'o1', 'o2', 7),
        offer: fc.constantFrom(undefined, undefined, undefined, undefined, ...decisionIds, 'nothing'),
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('identify' as const),
      tenant,
      visitor: fc.constantFrom(...visitors),
      user: fc.constantFrom(...users),
    }),
  },
);

/** What one message says is the same whenever it comes: its total is a function of its id. */
const totals: Readonly<Record<string, unknown>> = {
  e0: 12.34,
  e1: 0.1,
  e2: 0.2,
  e3: -5,
  e4: 100,
  e5: 'many',
};

interface Story {
  readonly steps: readonly { readonly step: Step; readonly gap: number; readonly lag: number }[];
}

const story: fc.Arbitrary<Story> = fc
  .record({
    made: fc.array(
      fc.record({
        kind: fc.constant('decide' as const),
        tenant,
        id: decision,
        simulated: fc.constantFrom(false, false, false, true),
      }),
      { minLength: 8, maxLength: 12 },
    ),
    others: fc.array(fc.record({ step, gap, lag }), { minLength: 20, maxLength: 50 }),
  })
  .chain(({ made, others }) =>
    fc
      .shuffledSubarray([...made.map((one) => ({ step: one as Step, gap: 0, lag: 0 })), ...others], {
        minLength: made.length + others.length,
      })
      .map((steps) => ({ steps })),
  );

/** The steps in the order in which they came to the log, as the sink would write them. */
function factsOf({ steps }: Story, begin: number, prefix: string): Facts {
  const facts = {
    decisions: [] as Facts['decisions'][number][],
    exposures: [] as Facts['exposures'][number][],
    outcomes: [] as Facts['outcomes'][number][],
    events: [] as EventFact[],
    moves: [] as Facts['moves'][number][],
  };
  const userOf = new Map<string, string>();
  let clock = begin;
  steps.forEach(({ step, gap, lag }, index) => {
    clock += gap;
    const position = index + 1;
    const named = `${prefix}_${step.tenant}`;
    const ofTenant = (id: string): string => `${prefix}_${id}`;
    if (step.kind === 'decide') {
      const id = ofTenant(step.id);
      // One id is one tenant's: it is a hash of it.
      if (facts.decisions.some((one) => one.id === id)) return;
      facts.decisions.push({ tenant: named, id, decided: begin, simulated: step.simulated });
      return;
    }
    const at = { tenant: named, position, time: Math.max(begin, clock - lag), received: clock };
    if (step.kind === 'identify') {
      const key = `${named}/a:${step.visitor}`;
      if (userOf.get(key) === step.user) return;
      userOf.set(key, step.user);
      facts.moves.push({
        tenant: named,
        anonymousId: step.visitor,
        userId: step.user,
        sourcePosition: position,
        received: at.received,
      });
      return;
    }
    // What an anonymous id does after it has become a user is the user's.
    const user = userOf.get(`${named}/${step.subject}`);
    const what = { ...at, subject: user === undefined ? step.subject : `u:${user}` };
    if (step.kind === 'show') facts.exposures.push({ ...what, decision: ofTenant(step.id) });
    if (step.kind === 'report')
      facts.outcomes.push({
        ...what,
        decision: ofTenant(step.id),
        outcome: step.outcome,
        id: step.report,
        value: step.value === null ? null : Math.round(step.value * 100),
      });
    if (step.kind === 'act') {
      const { offer, ...rest } = step.properties;
      const properties = {
        ...rest,
        total: totals[step.id],
        ...(offer === undefined ? {} : { offer: ofTenant(String(offer)) }),
      };
      facts.events.push({ ...what, id: step.id, type: step.type, simulated: step.simulated, properties });
    }
  });
  return facts;
}

let folder: string;
let warehouse: Warehouse;
let tokens = 0;
let moves = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-outcomes-'));
  warehouse = await openEmbeddedWarehouse({ folder });
});
afterAll(async () => {
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});

const stamp = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

/** In several inserts, so that ClickHouse itself has to find what is there twice. */
async function write(facts: Facts): Promise<void> {
  const put = async (table: string, rows: readonly object[]): Promise<void> => {
    if (rows.length === 0) return;
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    await warehouse.insert(table, text, `o${tokens++}`);
  };
  const base = (fact: {
    tenant: string;
    subject: string;
    position: number;
    time: number;
    received: number;
  }) => ({
    tenant: fact.tenant,
    subject: fact.subject,
    position: fact.position,
    time: stamp(fact.time),
    received: stamp(fact.received),
  });
  const half = Math.ceil(facts.exposures.length / 2);
  const exposures = facts.exposures.map((one) => ({ ...base(one), decision: one.decision }));
  await put(
    'decision_rows',
    facts.decisions.map((one) => decisionRow(one)),
  );
  await put('exposure_rows', exposures.slice(half));
  await put('exposure_rows', exposures.slice(0, half));
  await put(
    'outcome_event_rows',
    facts.outcomes.map((one) => ({
      ...base(one),
      decision: one.decision,
      outcome: one.outcome,
      id: one.id,
      value: one.value === null ? null : one.value / 100,
    })),
  );
  await put(
    'events',
    facts.events.map((one) => ({
      ...base(one),
      id: one.id,
      type: one.type,
      simulated: one.simulated,
      properties: JSON.stringify(one.properties),
    })),
  );
  await put(
    'identity_transfer_rows',
    facts.moves.map((one) => ({
      tenant: one.tenant,
      anonymous_id: one.anonymousId,
      user_id: one.userId,
      source_position: one.sourcePosition,
      received: stamp(one.received),
      partition: 1,
      position: moves++,
    })),
  );
}

const decisionRow = ({ tenant, id, decided, simulated }: Facts['decisions'][number]) => ({
  id,
  tenant,
  simulated,
  decided: stamp(decided),
  received: stamp(decided),
  action: `action ${id.slice(-1)}`,
  mode: 'act',
  version: 1,
  record: JSON.stringify({ id, features: { views: 3 } }),
});

interface LabelRow {
  id: string;
  metric: string;
  shown: string | number | null;
  response: string | null;
  label: number | null;
  is_mature: boolean | number;
  first_at: string | number | null;
  successes: string | number;
  cents: string | number;
}

async function labelsIn(scope: OutcomeScope): Promise<Labelled[]> {
  const rows = await warehouse.rows<LabelRow>(
    `WITH ${labelsSql(outcomes, scope, { metrics: metricNames(outcomes), columns: ['placement'] })}
    SELECT id, metric_name AS metric, shown_at AS shown, response, label, mature AS is_mature, labels.first AS first_at,
        labels.events AS successes, toString(labels.amount) AS cents FROM labels`,
    scopeParameters(scope),
  );
  return rows.map((row) => ({
    decision: row.id,
    metric: row.metric,
    shownAt: row.shown === null ? null : Number(row.shown),
    response: row.response,
    label: row.label as 0 | 1 | null,
    mature: Boolean(row.is_mature),
    first: row.first_at === null ? null : Number(row.first_at),
    successes: Number(row.successes),
    cents: Number(row.cents),
  }));
}

const sorted = (labels: readonly Labelled[]): Labelled[] =>
  [...labels].sort((a, b) => (`${a.decision} ${a.metric}` < `${b.decision} ${b.metric}` ? -1 : 1));

const together = (all: readonly Facts[]): Facts => ({
  decisions: all.flatMap((one) => one.decisions),
  exposures: all.flatMap((one) => one.exposures),
  outcomes: all.flatMap((one) => one.outcomes),
  events: all.flatMap((one) => one.events),
  moves: all.flatMap((one) => one.moves),
});

describe('attribution and labels', () => {
  it('are those of the brute-force reference, whatever came when, twice, late or under another id', async () => {
    let runs = 0;
    let credited = 0;
    const stories = fc.array(story, { minLength: 25, maxLength: 25 });
    // At some time, and when all has come.
    const asOf = fc.tuple(fc.integer({ min: 0, max: span + 60 }), fc.constant(400));
    await fc.assert(
      fc.asyncProperty(stories, asOf, async (told, laters) => {
        // Each run on a day of its own, so that what was written before is not asked about.
        const begin = day(runs++);
        const all = told.map((one, index) => factsOf(one, begin, `r${runs}_${index}`));
        await write(together(all));
        for (const later of laters) {
          const at = begin + later;
          const scope = { tenant: null, from: begin, to: begin + 1, at, simulated: null };
          const expected = all.flatMap((facts) =>
            [...new Set(facts.decisions.map(({ tenant }) => tenant))].flatMap((tenant) =>
              labelsOf(facts, rules, tenant, at),
            ),
          );
          credited += expected.filter(
            ({ metric, successes }) => metric === 'purchase' && successes > 0,
          ).length;
          expect(sorted(await labelsIn(scope))).toEqual(sorted(expected));
        }
      }),
      { numRuns: 4, endOnFailure: true },
    );
    // Stories in which nothing is due to anything would prove nothing.
    expect(credited).toBeGreaterThan(20);
  }, 300_000);
});
