import { describe, expect, it } from 'vitest';
import { PresageError } from '../core/index.ts';
import { consider, type Question } from '../decisions/index.ts';
import type { Scorer } from '../scorers/index.ts';
import { root } from '../tests/support/program.ts';
import { type CompiledModel, type CompiledPlacement, loadWorkspace } from '../workspace/index.ts';
import { decideAll } from './decide.ts';
import { type Climb, climbDown } from './ladder.ts';

const small = await loadWorkspace(`${root}/tests/workspaces/small`);
const banner = small.placements.get('banner') as CompiledPlacement;
const modelOf = (id: string): CompiledModel => ({
  id,
  version: '1',
  path: '',
  sha256: id,
  inputs: ['views'],
  missing: 0,
  defaults: {},
  block: 1,
});
const placement: CompiledPlacement = {
  ...banner,
  model: modelOf('champion'),
  fallback: modelOf('cheap'),
  shadows: [modelOf('watching')],
};

/** What a model does when it is asked: it takes so long, and gives this probability or fails with this code. */
interface Behaviour {
  readonly tookMs?: number;
  readonly gives?: number;
  readonly fails?: string;
  /** Rows of this number of views it cannot score. */
  readonly poison?: number;
}

function rig(behaviours: Record<string, Behaviour>) {
  const time = { now: 1_000 };
  const asked: string[] = [];
  const scorerOf = (id: string, { tookMs = 1, gives = 0.5, fails, poison }: Behaviour): Scorer => ({
    model: modelOf(id),
    async score(rows, count, withinMs = Number.POSITIVE_INFINITY) {
      asked.push(id);
      time.now += Math.min(tookMs, withinMs);
      if (tookMs > withinMs) throw new PresageError('timed_out', 'late');
      if (fails !== undefined) throw new PresageError(fails, 'no');
      const row = rows.indexOf(poison ?? Number.NaN);
      if (row >= 0) throw new PresageError('scorer_failed', 'no', { details: { row } });
      return new Float32Array(count).fill(gives);
    },
    close: async () => {},
  });
  const scorers = new Map(Object.entries(behaviours).map(([id, one]) => [id, scorerOf(id, one)]));
  const parts = {
    scorers: { get: (id: string) => scorers.get(id), close: async () => {} },
    scoringBudgetMs: 100,
    clock: { now: () => time.now, monotonic: () => time.now },
  };
  const decide = async (questions = [question()], isOverloaded = false) => {
    const drafts = await decideAll(questions, { ...parts, isOverloaded });
    return drafts.map(({ record }) => record);
  };
  return { decide, asked, parts };
}

const question = (views = 2, changes: Partial<Question> = {}): Question => ({
  id: `d${views}`,
  tenant: 'acme',
  subject: 'u:ann',
  session: 's',
  placement,
  startedBy: { kind: 'request', request: 'r' },
  time: 0,
  simulated: false,
  log: { partition: 0, position: 0 },
  features: { views },
  event: null,
  context: {},
  receivedAt: 1_000,
  workspace: 'w',
  stopped: false,
  featuresMs: 0,
  ...changes,
});

describe('the ladder', () => {
  it('ends at the champion, with all candidates, and says how long it took', async () => {
    const { decide, asked } = rig({ champion: { gives: 0.25 }, cheap: {} });
    const [record] = await decide();
    expect(record).toMatchObject({
      rung: 'champion',
      rungReason: 'in_time',
      model: { id: 'champion' },
      timings: { rungs: { champion: 1 }, scoringMs: 1 },
    });
    expect(record?.candidates.map(({ score }) => score?.acceptProbability)).toEqual([0.25, 0.25]);
    expect(asked).toEqual(['champion']);
  });

  it.each([
    ['timed_out', { tookMs: 200 }, 70],
    ['scorer_failed', { fails: 'scorer_failed' }, 1],
    ['breaker_open', { fails: 'breaker_open' }, 1],
    ['busy', { fails: 'busy' }, 1],
  ])('goes to the cheaper model where the champion is %s', async (why, champion, tookMs) => {
    const [record] = await rig({ champion, cheap: { gives: 0.125 } }).decide();
    expect(record).toMatchObject({
      rung: 'cheap',
      rungReason: why,
      model: { id: 'cheap' },
      timings: { rungs: { champion: tookMs, cheap: 1 } },
    });
    expect(record?.candidates[0]?.score?.acceptProbability).toBe(0.125);
  });

  it('goes to the rules where neither can answer, and says why the first did not', async () => {
    const { decide } = rig({ champion: { fails: 'breaker_open' }, cheap: { tookMs: 200 } });
    expect((await decide())[0]).toMatchObject({ rung: 'rules', rungReason: 'breaker_open', model: null });
    expect((await rig({}).decide())[0]).toMatchObject({ rung: 'rules', rungReason: 'model_absent' });
  });

  it('leaves the champion out under overload', async () => {
    const { decide, asked } = rig({ champion: {}, cheap: {}, watching: {} });
    expect((await decide([question()], true))[0]).toMatchObject({ rung: 'cheap', rungReason: 'overloaded' });
    expect(asked).toEqual(['cheap']);
  });

  it('has nothing above the rules where the placement has no model', async () => {
    const [record] = await rig({ champion: {} }).decide([question(2, { placement: banner })]);
    expect(record).toMatchObject({ rung: 'rules', rungReason: 'no_model', timings: { rungs: {} } });
  });

  it('says of rules that stand in for a model that no policy may explore with them', async () => {
    const explores = async (asked: Question, behaviours: Record<string, Behaviour>) => {
      const climb: Climb = {
        question: asked,
        considered: consider(asked),
        scores: null,
        rungs: {},
        shadows: [],
      };
      await climbDown([climb], rig(behaviours).parts);
      return climb.scores?.explores;
    };
    expect(await explores(question(), {})).toBe(false);
    expect(await explores(question(2, { placement: banner }), {})).toBe(true);
    expect(await explores(question(), { champion: {} })).not.toBe(false);
  });

  it('decides each of a batch on one rung, and a row that fails is its own decision only', async () => {
    const { decide } = rig({ champion: { poison: 3 }, cheap: { poison: 3 } });
    const records = await decide([question(2), question(3), question(4)]);
    expect(records.map(({ id, rung, rungReason }) => [id, rung, rungReason])).toEqual([
      ['d2', 'champion', 'in_time'],
      ['d3', 'rules', 'scorer_failed'],
      ['d4', 'champion', 'in_time'],
    ]);
  });

  it('gives the rest of a batch to lower rungs when the time is spent', async () => {
    const { decide } = rig({ champion: { tookMs: 40 }, cheap: { tookMs: 5 } });
    const records = await decide(Array.from({ length: 600 }, (_, n) => question(n + 2)));
    const seen = new Set(records.map(({ rung, rungReason }) => `${rung}: ${rungReason}`));
    expect([...seen]).toEqual(['champion: in_time', 'cheap: timed_out', 'cheap: budget_spent']);
  });
});

describe('a model that watches', () => {
  it('leaves its scores in the record and decides nothing', async () => {
    const { decide } = rig({ champion: { gives: 0.25 }, watching: { gives: 0.75 } });
    const [record] = await decide();
    expect(record?.shadows).toEqual([
      {
        model: { id: 'watching', version: '1', sha256: 'watching' },
        acceptProbabilities: { first: 0.75, second: 0.75 },
      },
    ]);
    expect(record?.candidates[0]?.score?.acceptProbability).toBe(0.25);
  });

  it.each([{ tookMs: 200 }, { fails: 'scorer_failed' }])(
    'is left out where it is not in time (%o)',
    async (watching) => {
      const [record] = await rig({ champion: {}, watching }).decide();
      expect(record?.rung).toBe('champion');
      expect(record).not.toHaveProperty('shadows');
    },
  );
});
