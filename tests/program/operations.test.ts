import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SubjectStateContents } from '../../schemas/index.ts';
import {
  type Home,
  makeHome,
  type Program,
  presage,
  root,
  startProgram,
  waitFor,
} from '../support/program.ts';

const workspace = join(root, 'tests', 'workspaces', 'operations');
const minute = 60_000;
let home: Home;
let program: Program;
let key: string;
const now = Date.now();

const run = (...args: string[]) => presage(home, [...args, '--port', String(home.port)]).finished;
/** What `presage state inspect` asks. */
const stateOf = (subject: string) =>
  program.ask<SubjectStateContents>(`/api/subjects/${subject}/state?tenant=acme`);

let made = 0;
async function send(batch: readonly object[]): Promise<void> {
  const response = await fetch(`${program.address}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ batch: batch.map((call) => ({ messageId: `m${made++}`, ...call })) }),
  });
  expect(response.status).toBe(200);
}
const track = (who: object, event: string, ago: number, properties: object = {}) => ({
  type: 'track',
  event,
  ...who,
  timestamp: new Date(now - ago).toISOString(),
  properties,
});

beforeAll(async () => {
  home = await makeHome();
  program = await startProgram(home, workspace);
  const { out } = await run('keys', 'create', '--tenant', 'acme', '--scopes', 'write', '--json');
  key = (JSON.parse(out) as { key: string }).key;
  const [ann, bob, visitor] = [{ userId: 'ann' }, { userId: 'bob' }, { anonymousId: 'v1' }];
  await send([
    track(bob, 'view', 4 * minute, { item: 'lamp', price: 10 }),
    track(ann, 'view', 3 * minute, { item: 'lamp', price: 10 }),
    track(ann, 'view', 2 * minute, { item: 'sofa', price: 2.5 }),
    track(ann, 'click', 1 * minute, { item: 'sofa', price: 2.5 }),
    track(ann, 'cart', 1 * minute, { id: 'c1' }),
    track(bob, 'view', 1 * minute, { item: 'sofa', price: 2.5 }),
    // Behind everybody by more than views may be.
    track(bob, 'view', 40 * minute, { item: 'late', price: 1 }),
    // By a clock that is wrong.
    track(bob, 'view', -60 * minute, { item: 'ahead', price: 1 }),
    { type: 'alias', previousId: 'bob', userId: 'ann' },
    track(visitor, 'view', 2 * minute, { item: 'lamp', price: 10 }),
    { type: 'identify', ...visitor, userId: 'carl', timestamp: new Date(now - minute).toISOString() },
  ]);
});
afterAll(async () => {
  await program?.stop();
  await home?.remove();
});

/** Sums over labels of each metric, as `/metrics` has them now. */
async function metrics(): Promise<Map<string, number>> {
  const text = await (await fetch(`${program.address}/metrics`)).text();
  const sums = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = /^(\w+)(\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    for (const each of new Set([name, `${name}${labels}`]))
      sums.set(each, (sums.get(each) ?? 0) + Number(value));
  }
  return sums;
}

describe('what those who run it can see', () => {
  it('is that every record was processed and what became of it', async () => {
    const found = await waitFor('everything to be counted', async () => {
      const all = await metrics();
      const isDone =
        all.get('presage_relay_records_total{kind="transfer",result="appended"}') === 1 &&
        // With the transfer that the relay appended.
        (all.get('presage_stream_batch_records_sum') ?? 0) >= 12 &&
        (all.get('presage_stream_watermark_delay_seconds') ?? 0) > 0 &&
        all.get('presage_stream_lag_events') === 0;
      return isDone && all;
    });
    const value = (name: string) => found.get(`presage_stream_${name}`);
    expect(value('lag_seconds')).toBe(0);
    expect(value('clamped_events_total')).toBe(1);
    expect(value('dead_letters_total{code="merge_of_known"}')).toBe(1);
    expect(value('dead_letters_total')).toBe(1);
    expect(value('late_events_total')).toBe(1);
    for (const name of ['batch_records', 'commit_seconds', 'event_to_commit_seconds', 'freshness_seconds'])
      expect(value(`${name}_count`), name).toBeGreaterThan(0);
    for (const name of ['state_bytes_sum', 'cached_subjects', 'cached_state_bytes', 'cache_misses_total'])
      expect(value(name), name).toBeGreaterThan(0);
    expect(value('freshness_seconds_sum')).toBeGreaterThan(0);
    expect(value('decisions_total')).toBeGreaterThan(0);
    expect(value('horizon_timers')).toBeGreaterThan(0);
    expect(value('restarts_total')).toBe(0);
  });

  it('is which event was late and which record was refused, with its place', async () => {
    const [late] = await waitFor('the late event', async () => {
      const rows = await program.sql<{ subject: string; type: string; late: number }>(
        'SELECT subject, type, toUInt32(late_ms) AS late FROM late_events',
      );
      return rows.length > 0 && rows;
    });
    expect(late).toMatchObject({ subject: 'u:bob', type: 'view' });
    expect(late?.late).toBeGreaterThan(10 * minute);
    const [dead] = await waitFor('the dead letter', async () => {
      const rows = await program.sql<{ code: string; message: string; bytes: string; position: number }>(
        'SELECT code, message, bytes, toUInt32(position) AS position FROM dead_letters',
      );
      return rows.length > 0 && rows;
    });
    expect(dead).toMatchObject({ code: 'merge_of_known', position: expect.any(Number) });
    expect(Buffer.from(dead?.bytes ?? '', 'base64').toString()).toContain('alias');
  });

  it("is all of a subject's state: every feature with what it is made of, caps, sessions and waits", async () => {
    await waitFor('four events and their decisions', async () => {
      const { remembered, caps } = await stateOf('u:ann');
      return remembered.ids === 4 && caps.length > 0;
    });
    const { out, err, code } = await run('state', 'inspect', 'ann', '--json');
    expect(code, err).toBe(0);
    const state = JSON.parse(out) as SubjectStateContents;
    const values = Object.fromEntries(state.features.map(({ name, value }) => [name, value]));
    expect(values).toEqual({
      views: 2,
      views_by_item: { lamp: 1, sofa: 1 },
      clicks: 1,
      spent: 2.5,
      lowest: 2.5,
      highest: 10,
      mean: 6.25,
      last_item: 'sofa',
      last_items: ['sofa', 'lamp'],
      items: 2,
      many_items: 2,
      top_items: ['lamp', 'sofa'],
      since_click: 0,
      visit: 4,
      interest: expect.any(Number),
      looked_then_clicked: 1,
      click_rate: 0.5,
      is_keen: true,
    });
    for (const { name, words } of state.features) expect(words, name).toMatch(/\w/);
    expect(state).toMatchObject({
      tenant: 'acme',
      subject: 'u:ann',
      newest: now - minute,
      remembered: { ids: 4, oldest: now - 3 * minute },
      sessions: [{ first: now - 3 * minute, last: now - minute }],
      caps: [{ cap: expect.stringContaining('hint'), used: 2, limit: 3 }],
      moved: null,
      shared: ['item_views'],
    });
    expect(state.timers.pending).toEqual([{ trigger: 'abandoned', key: 'c1', due: now + 59 * minute }]);
    expect(state.timers.held).toEqual([{ trigger: 'keen', isTrue: true, firedAt: null }]);
    expect(state.timers.due).toBeGreaterThan(now);
    expect(state.blob.bytes).toBeGreaterThan(100);
  });

  it('is who an anonymous id has become, from both sides', async () => {
    const user = await waitFor('the move', async () => {
      const found = await stateOf('u:carl');
      return found.links.some(({ hasArrived }) => hasArrived) && found;
    });
    expect(user.links).toEqual([{ anonymousId: 'v1', hasArrived: true }]);
    expect(user.features.find(({ name }) => name === 'views')?.value).toBe(1);
    const anonymous = await stateOf('a:v1');
    expect(anonymous).toMatchObject({ moved: { to: 'carl', isVouched: true } });
    const { out } = await run('state', 'inspect', 'a:v1');
    expect(out).toContain('is carl now; only this link is left');
  });

  it("is the running workspace's, where no other is named: its features, and types that it lacks", async () => {
    const features = await run('features', 'list');
    expect(features.out).toMatch(/^click_rate +ratio .* from clicks, views$/m);
    const infer = await run('infer', '--events');
    expect(infer.err).toMatch(/\d+ of \d+ stored events looked at/);
    expect([...infer.out.matchAll(/^ {2}(\w+):/gm)].map(([, type]) => type)).toEqual(['identify']);
  });

  it('is what would be decided for somebody, and why not the others, and nothing is recorded', async () => {
    const before = await program.sql<{ n: string }>('SELECT count() AS n FROM decisions');
    const placement = (await program.sql<{ placement: string }>('SELECT placement FROM decisions LIMIT 1'))[0]
      ?.placement;
    const { out, err, code } = await run('explain', '--subject', 'ann', '--placement', placement ?? '');
    expect(code, err).toBe(0);
    expect(out).toContain(`u:ann in ${placement}: `);
    expect(out).toMatch(/nothing was recorded$/m);
    expect(out).toMatch(/^\w+ .*(chosen|eligibility|constraints|arbitration): /m);
    expect(await program.sql<{ n: string }>('SELECT count() AS n FROM decisions')).toEqual(before);
    const wrong = await run('explain', '--subject', 'ann', '--placement', 'nowhere');
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('There is no placement "nowhere"')]);
  });

  it('is that nothing is known of somebody', async () => {
    const unknown = await run('state', 'inspect', 'a:nobody');
    expect([unknown.code, unknown.out]).toEqual([1, '']);
    expect(unknown.err).toContain('Nothing is known of "a:nobody"');
  });
});
