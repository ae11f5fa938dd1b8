import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../../core/index.ts';
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

const minute = 60_000;
const hour = 60 * minute;
/** What a run of these tests takes, with room for a busy machine. */
const slack = 5 * minute;
const workspace = join(root, 'tests', 'workspaces', 'operations');
/** All in one partition: one clock of event time, one order. */
const neighbours = Array.from({ length: 200 }, (_, i) => `client-${i}`).filter(
  (id) => partitionOf(id, 4) === partitionOf('client-0', 4),
);
let home: Home;
let program: Program;
let key: string;

beforeAll(async () => {
  home = await makeHome();
  program = await startProgram(home, workspace);
  const about = ['--tenant', 'acme', '--scopes', 'write', '--port', String(home.port), '--json'];
  key = (JSON.parse((await presage(home, ['keys', 'create', ...about]).finished).out) as { key: string }).key;
});
afterAll(async () => {
  await program?.stop();
  await home?.remove();
});

let made = 0;
const track = (userId: string, event: string, timestamp: number, properties: object = {}) => ({
  type: 'track',
  messageId: `m${made++}`,
  userId,
  event,
  timestamp: new Date(timestamp).toISOString(),
  properties,
});

async function send(batch: readonly object[], sentAt?: number): Promise<void> {
  const when = sentAt === undefined ? {} : { sentAt: new Date(sentAt).toISOString() };
  const response = await fetch(`${program.address}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ batch, ...when }),
  });
  expect(response.status).toBe(200);
}

interface Decided {
  readonly subject: string;
  readonly trigger: string;
}
/** Decisions of the partition once it has come past what was sent before: a click of `last`, who does nothing else. */
async function decisionsUpTo(last: string): Promise<Decided[]> {
  await send([track(last, 'click', Date.now())]);
  return waitFor('the last click to be decided about', async () => {
    const all = await program.sql<Decided>('SELECT subject, trigger FROM decisions');
    return all.some(({ subject }) => subject === `u:${last}`) && all;
  });
}
const stateOf = (user: string) =>
  program.ask<SubjectStateContents>(`/api/subjects/u:${user}/state?tenant=acme`);
const eventsOf = (user: string) =>
  program.sql<{ time: number; clamped: boolean; late: number; partition: number }>(
    `SELECT toInt64(toUnixTimestamp64Milli(time)) AS time, clamped, toUInt32(late_ms) AS late, toUInt32(partition) AS partition FROM events WHERE subject = 'u:${user}' ORDER BY time`,
  );

describe('a client whose clock is an hour ahead, through the whole program', () => {
  const [waits = '', tells = '', wrong = '', wrongToo = '', last = ''] = neighbours;

  it('is put right by sentAt; without it, it fires nobody else’s timers', async () => {
    const now = Date.now();
    // Due in half an hour, so that an hour ahead would fire it; and its visit would be over.
    await send([track(waits, 'cart', now - hour / 2, { id: 'c1' })]);
    await send([track(tells, 'view', now + hour - minute, { item: 'lamp', price: 1 })], now + hour);
    await send([
      track(wrong, 'view', now + hour, { item: 'lamp', price: 1 }),
      track(wrongToo, 'view', now + hour, { item: 'lamp', price: 1 }),
      track(wrong, 'view', now + hour, { item: 'sofa', price: 1 }),
      track(wrongToo, 'view', now + hour, { item: 'sofa', price: 1 }),
    ]);
    const decisions = await decisionsUpTo(last);
    expect(decisions.filter(({ trigger }) => trigger === 'abandoned')).toEqual([]);
    expect(decisions.filter(({ subject }) => subject === `u:${waits}`)).toEqual([]);
    expect((await stateOf(waits)).timers.pending).toMatchObject([{ trigger: 'abandoned', key: 'c1' }]);

    const [told] = await waitFor('its event in ClickHouse', async () => {
      const events = await eventsOf(tells);
      return events.length > 0 && events;
    });
    expect(told).toMatchObject({ clamped: false, late: 0 });
    expect(Math.abs((told?.time ?? 0) - (now - minute))).toBeLessThan(slack);
    const misled = await waitFor('both events in ClickHouse', async () => {
      const events = await eventsOf(wrong);
      return events.length === 2 && events;
    });
    for (const { time, clamped } of misled) {
      expect(clamped).toBe(true);
      expect(time - now).toBeLessThan(slack);
    }
    expect(new Set([told, ...misled].map((event) => event?.partition)).size).toBe(1);
  });
});

describe('an event beyond its lateness, through the whole program', () => {
  const [, , , , , late = '', other = '', another = '', last = ''] = neighbours;

  it('is counted and listed and updates features, and fires no trigger', async () => {
    const now = Date.now();
    await send([
      // Two subjects make it that late.
      track(other, 'view', now, { item: 'lamp', price: 1 }),
      track(another, 'view', now, { item: 'lamp', price: 1 }),
      track(late, 'view', now - 39 * minute, { item: 'lamp', price: 1 }),
      track(late, 'view', now - 38 * minute, { item: 'lamp', price: 1 }),
      // Alone and in time each would start a decision: at the event, on the condition, and once this visit is over.
      track(late, 'click', now - 37 * minute, { item: 'lamp', price: 1 }),
    ]);
    const decisions = await decisionsUpTo(last);
    expect(decisions.filter(({ subject }) => subject === `u:${late}`)).toEqual([]);
    expect(decisions.filter(({ subject }) => subject === `u:${last}`)).not.toEqual([]);
    const { features } = await stateOf(late);
    const valueNow = (name: string) => features.find((feature) => feature.name === name)?.value;
    expect([valueNow('views'), valueNow('clicks'), valueNow('spent')]).toEqual([2, 1, 1]);
    const listed = await waitFor('three late events in ClickHouse', async () => {
      const rows = await program.sql<{ type: string; late: number }>(
        `SELECT type, toUInt32(late_ms) AS late FROM late_events WHERE subject = 'u:${late}' ORDER BY time`,
      );
      return rows.length === 3 && rows;
    });
    expect(listed.map(({ type }) => type)).toEqual(['view', 'view', 'click']);
    for (const { late } of listed) expect(late).toBeGreaterThan(30 * minute);
    const text = await (await fetch(`${program.address}/metrics`)).text();
    expect(text).toMatch(/^presage_stream_late_events_total 3$/m);
  });
});
