import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readOutboxEntry } from '../../stream/index.ts';
import type { EventLog } from '../../stream/log/index.ts';
import type { StateStore } from '../../stream/state/index.ts';
import { assign } from '../../tests/reference/identity.ts';
import { identify, partitions, rig, view } from '../../tests/support/identity.ts';
import { happening, play } from '../../tests/support/identity-stories.ts';
import { memoryTables } from '../../tests/support/memory-tables.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import { deleteAll, eventHistory, makeSink, openEmbeddedWarehouse, type Warehouse } from './index.ts';
import { historyOf } from './queries/history.ts';

let folder: string;
let warehouse: Warehouse;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-identity-'));
  warehouse = await openEmbeddedWarehouse({ folder });
});
afterAll(async () => {
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});

let day = 0;
/** Writes all that log and store have. */
async function write({ log, store }: { log: EventLog; store: StateStore }): Promise<void> {
  await deleteAll(warehouse);
  day += 1;
  const now = Date.UTC(2026, 1, 1) + day * 86_400_000;
  const sink = makeSink({
    log,
    store,
    warehouse,
    clock: { now: () => now, monotonic: () => performance.now() },
    logger: silentLogger(),
    registry: new Registry(),
    limits: { flushMs: 0, mostPauseMs: 0 },
  });
  await sink.start();
  const ends = [];
  for (let p = 0; p < partitions; p++) ends.push((await store.head(p)).position);
  await sink.untilPassed(ends);
  await sink.stop();
}

const rows = (sql: string) => warehouse.rows<Record<string, string | number>>(sql);

type Played = Awaited<ReturnType<typeof play>>;

/** That state is made anew from the records that there were: from ClickHouse and by hand alike. */
async function expectHistory({ steps, store }: Played): Promise<void> {
  const byHand = memoryTables();
  for (let p = 0; p < partitions; p++) {
    const { end } = await store.outboxRange(p);
    const entries = (await store.readOutbox(p, 0, Math.max(1, end), 0)).map(readOutboxEntry);
    byHand.write(p, await steps.records(p), entries);
  }
  const parts = { end: () => null, versions: () => [{ version: 1, partitions: 1, base: 0 }] };
  const [here, there] = [eventHistory({ warehouse, ...parts }), historyOf(byHand.tables, parts)];
  for (let p = 0; p < partitions; p++) {
    const rows = await here.rows(p, 0, 1_000);
    expect(rows).toEqual(await there.rows(p, 0, 1_000));
    const moved = rows.flatMap(({ event, transfer }) =>
      transfer === null ? [] : [{ tenant: event.tenant, ...transfer.from }],
    );
    const closed = await here.closed(moved);
    expect(closed).toEqual(await there.closed(moved));
  }
}

describe('identity in ClickHouse', { timeout: 300_000 }, () => {
  it("has a moved event once, as its user's, where it arrived; and the transfer", async () => {
    const world = rig();
    await world.send(view('a1', { anonymousId: 'visitor' }, 1), identify('i1', 'visitor', 'ann', 2));
    await world.send(view('a2', { anonymousId: 'visitor' }, 3), view('a2', { anonymousId: 'visitor' }, 3));
    await world.settle();
    await write(world);
    expect(await rows('SELECT id, subject, anonymous_id, user_id, type FROM events ORDER BY id')).toEqual([
      { id: 'a1', subject: 'a:visitor', anonymous_id: 'visitor', user_id: '', type: 'view' },
      { id: 'a2', subject: 'u:ann', anonymous_id: 'visitor', user_id: '', type: 'view' },
      { id: 'i1', subject: 'u:ann', anonymous_id: 'visitor', user_id: 'ann', type: 'identify' },
    ]);
    expect(await rows('SELECT id FROM duplicates')).toEqual([{ id: 'a2' }]);
    const [transfer] = await rows('SELECT * FROM identity_transfers');
    expect(transfer).toMatchObject({ anonymous_id: 'visitor', user_id: 'ann', id: 'i1', source: 'http' });
    const [first] = await rows("SELECT partition, position FROM events WHERE id = 'a1'");
    expect(transfer).toMatchObject({
      source_partition: first?.partition,
      source_position: Number(first?.position) + 1,
    });
    const [identified] = await rows("SELECT partition, position FROM events WHERE id = 'i1'");
    expect(transfer).toMatchObject({ partition: identified?.partition, position: identified?.position });
  });

  it('accounts for every event once, and says whose each is, whatever happened', async () => {
    const story = fc.array(
      happening.filter((one) => one.do !== 'shown'),
      { minLength: 10, maxLength: 50, size: 'max' },
    );
    await fc.assert(
      fc.asyncProperty(story, async (happened) => {
        const played = await play(happened);
        await write(played);
        const { events } = assign(played.sent);
        const [counted] = await rows(
          'SELECT (SELECT count() FROM events) AS fresh, (SELECT count() FROM duplicates) AS repeated',
        );
        expect(Number(counted?.fresh) + Number(counted?.repeated)).toBe(played.sent.length);
        const known = await rows(
          "SELECT of_subject AS subject, id FROM subject_events WHERE startsWith(of_subject, 'u:') ORDER BY 1, 2",
        );
        const users = [...events].filter(([key]) => key.startsWith('acme:u:'));
        const theirs = users.flatMap(([key, mine]) =>
          [...new Set(mine.map(({ id }) => id))].map((id) => ({ subject: key.slice(5), id })),
        );
        const byText = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
        expect([...known].sort(byText)).toEqual(theirs.sort(byText));
        // Some of them are enough: it takes some twenty queries.
        if (day % 4 === 0) await expectHistory(played);
      }),
      { numRuns: 12 },
    );
  });
});
