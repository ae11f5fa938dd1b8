import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CapTake, Choice, Resolution } from '../../schemas/index.ts';
import {
  type Commit,
  movedMark,
  type OutboxItem,
  type RequestCommit,
  type RequestOutcome,
  type StateStore,
} from './port.ts';

export interface StateUnderTest {
  /** A store with nothing in it. */
  fresh(): Promise<StateStore>;
  stop(): Promise<void>;
}

const partition = 1;
const day = 86_400_000;

/** What every StateStore keeps, whatever it is made of. */
export function stateContract(name: string, prepare: () => Promise<StateUnderTest>): void {
  describe(`${name} as a state store`, () => {
    let subject: StateUnderTest;
    let store: StateStore;
    beforeAll(async () => {
      subject = await prepare();
    });
    beforeEach(async () => {
      await store?.close();
      store = await subject.fresh();
    });
    afterAll(async () => {
      await store?.close();
      await subject.stop();
    });

    describe('the commit', () => {
      it('begins at position 0 with no commit', async () => {
        expect(await store.head(partition)).toEqual({
          position: 0,
          commitId: '',
          sequence: 0,
          generation: 0,
        });
        expect(await store.partitionState(partition)).toBeNull();
        expect(await store.load(partition, ['acme:u:1'])).toEqual([null]);
      });

      it('moves blobs, partition state, outbox and position together', async () => {
        const outcome = await store.commit(
          partition,
          commit('', 'c1', {
            position: 7,
            blobs: [
              ['acme:u:1', Buffer.from([0, 1, 255])],
              ['acme:a:zoë', Buffer.from('two')],
            ],
            partitionState: Buffer.from([9, 0, 200]),
            outbox: [
              { kind: 'batch', payload: '{"first":0}' },
              { kind: 'dead', payload: '{"ü":1}' },
            ],
          }),
        );
        expect(outcome).toEqual({ kind: 'committed', sequence: 1, resolutions: [] });
        expect(await store.head(partition)).toEqual({
          position: 7,
          commitId: 'c1',
          sequence: 1,
          generation: 0,
        });
        expect(await store.load(partition, ['acme:u:1', 'acme:a:zoë', 'acme:u:2'])).toEqual([
          Buffer.from([0, 1, 255]),
          Buffer.from('two'),
          null,
        ]);
        expect(await store.partitionState(partition)).toEqual(Buffer.from([9, 0, 200]));
        expect(await store.readOutbox(partition, 0, 10, 0)).toEqual([
          { offset: 0, kind: 'batch', payload: '{"first":0}', resolution: null, mark: 'c1' },
          { offset: 1, kind: 'dead', payload: '{"ü":1}', resolution: null, mark: 'c1' },
        ]);
        expect(await store.head(partition + 1)).toEqual({
          position: 0,
          commitId: '',
          sequence: 0,
          generation: 0,
        });
      });

      it('deletes a blob that is null and keeps those it does not name', async () => {
        await store.commit(
          partition,
          commit('', 'c1', {
            blobs: [
              ['a', Buffer.from('1')],
              ['b', Buffer.from('2')],
            ],
          }),
        );
        await store.commit(partition, commit('c1', 'c2', { blobs: [['a', null]] }));
        expect(await store.load(partition, ['a', 'b'])).toEqual([null, Buffer.from('2')]);
      });

      it('keeps the partition state when the commit has none', async () => {
        await store.commit(partition, commit('', 'c1', { partitionState: Buffer.from('kept') }));
        await store.commit(partition, commit('c1', 'c2'));
        expect(await store.partitionState(partition)).toEqual(Buffer.from('kept'));
      });

      it('fences a commit that extends another history, with the head, and changes nothing', async () => {
        await store.commit(partition, commit('', 'c1', { position: 3, blobs: [['a', Buffer.from('1')]] }));
        const zombie = commit('', 'z1', {
          position: 9,
          blobs: [['a', Buffer.from('zombie')]],
          outbox: [{ kind: 'batch', payload: 'zombie' }],
        });
        expect(await store.commit(partition, zombie)).toEqual({
          kind: 'fenced',
          head: { position: 3, commitId: 'c1', sequence: 1, generation: 0 },
        });
        expect(await store.load(partition, ['a'])).toEqual([Buffer.from('1')]);
        expect(await store.outboxRange(partition)).toEqual({ start: 0, end: 0 });
        expect(await store.head(partition)).toEqual({
          position: 3,
          commitId: 'c1',
          sequence: 1,
          generation: 0,
        });
      });

      it('answers a repeated commit as the first time, with its resolutions, and has no second effect', async () => {
        const first = commit('', 'c1', {
          position: 2,
          outbox: [decision([choice('a', [perSubject(1, 50)])])],
        });
        const answer = await store.commit(partition, first);
        expect(await store.commit(partition, first)).toEqual(answer);
        await store.commit(partition, commit('c1', 'c2', { position: 4 }));
        expect(await store.commit(partition, first)).toEqual(answer);
        expect(await store.outboxRange(partition)).toEqual({ start: 0, end: 1 });
        expect(await store.head(partition)).toMatchObject({ position: 4, commitId: 'c2' });
      });

      it('answers pipelined commits as if each had waited for the one before', async () => {
        const chain = ['c1', 'c2', 'c3', 'c4'].map((id, i) =>
          store.commit(partition, commit(i === 0 ? '' : `c${i}`, id, { position: i + 1 })),
        );
        expect((await Promise.all(chain)).map(({ kind }) => kind)).toEqual(chain.map(() => 'committed'));
        expect(await store.head(partition)).toEqual({
          position: 4,
          commitId: 'c4',
          sequence: 4,
          generation: 0,
        });
      });

      it('fails a pipelined commit whose predecessor was fenced', async () => {
        const outcomes = await Promise.all([
          store.commit(partition, commit('somebody else', 'c1')),
          store.commit(partition, commit('c1', 'c2')),
        ]);
        expect(outcomes.map(({ kind }) => kind)).toEqual(['fenced', 'fenced']);
      });

      it('lets exactly one of two writers win each time', async () => {
        let previous = '';
        for (let round = 0; round < 30; round++) {
          const outcomes = await Promise.all(
            ['left', 'right'].map((writer) =>
              store.commit(
                partition,
                commit(previous, `${writer}-${round}`, {
                  blobs: [['winner', Buffer.from(`${writer}-${round}`)]],
                }),
              ),
            ),
          );
          expect(outcomes.filter(({ kind }) => kind === 'committed')).toHaveLength(1);
          const { commitId } = await store.head(partition);
          expect(String((await store.load(partition, ['winner']))[0])).toBe(commitId);
          previous = commitId;
        }
      });

      it('takes 3,000 blobs, and refuses 3,001 without writing', async () => {
        const blobs = (count: number): Commit['blobs'] =>
          Array.from({ length: count }, (_, i) => [`acme:u:${i}`, Buffer.from(`${i}`)]);
        const tooMany = store.commit(partition, commit('', 'c1', { blobs: blobs(3_001) }));
        await expect(tooMany).rejects.toMatchObject({ code: 'state_invalid', retriable: false });
        expect(await store.head(partition)).toMatchObject({ sequence: 0, generation: 0 });
        expect(await store.commit(partition, commit('', 'c1', { blobs: blobs(3_000) }))).toMatchObject({
          kind: 'committed',
        });
        expect(await store.load(partition, ['acme:u:2999'])).toEqual([Buffer.from('2999')]);
      });

      it('refuses a blob over 64 KiB by name, without writing', async () => {
        const fits = Buffer.alloc(65_536, 1);
        const large = commit('', 'c1', {
          blobs: [
            ['fits', fits],
            ['acme:u:large', Buffer.alloc(65_537)],
          ],
        });
        await expect(store.commit(partition, large)).rejects.toMatchObject({
          code: 'blob_too_large',
          retriable: false,
          message: expect.stringContaining('acme:u:large'),
        });
        expect(await store.load(partition, ['fits'])).toEqual([null]);
        await store.commit(partition, commit('', 'c1', { blobs: [['fits', fits]] }));
        expect(await store.load(partition, ['fits'])).toEqual([fits]);
      });

      it('refuses a position before the committed one', async () => {
        await store.commit(partition, commit('', 'c1', { position: 10 }));
        const back = store.commit(partition, commit('c1', 'c2', { position: 9 }));
        await expect(back).rejects.toMatchObject({ code: 'state_refused', retriable: false });
        expect(await store.head(partition)).toMatchObject({ position: 10, commitId: 'c1' });
      });

      const invalid: [string, Partial<Commit>][] = [
        ['an empty id', { id: '' }],
        ['an id with a line break', { id: 'a\nb' }],
        ['a position that is no whole number', { position: 1.5 }],
        [
          'a cap with session and window',
          { outbox: [decision([choice('a', [{ ...perSubject(1, 0), session: 's' }])])] },
        ],
        [
          'a cap with neither',
          { outbox: [decision([choice('a', [{ ...perSubject(1, 0), windowMs: null }])])] },
        ],
        ['a time before 1970', { outbox: [decision([choice('a', [perSubject(1, -1)])])] }],
        ['a payload over 4 MiB', { outbox: [{ kind: 'batch', payload: 'x'.repeat(2 ** 22 + 1) }] }],
      ];
      it.each(invalid)('refuses %s, without writing', async (_what, part) => {
        const bad = { ...commit('', 'c1', { blobs: [['a', Buffer.from('1')]] }), ...part };
        await expect(store.commit(partition, bad)).rejects.toMatchObject({ code: 'state_invalid' });
        expect(await store.head(partition)).toMatchObject({ sequence: 0, generation: 0 });
        expect(await store.load(partition, ['a'])).toEqual([null]);
      });
    });

    describe('timers', () => {
      const move = async (part: Partial<Commit>) => {
        const { commitId } = await store.head(partition);
        const outcome = await store.commit(partition, commit(commitId, `t-${commitId}`.slice(0, 60), part));
        expect(outcome.kind).toBe('committed');
      };

      it('are read earliest first, by key where due at once, each tenant and partition apart', async () => {
        await move({
          timers: [
            ['acme:u:2', 1_700_000_000_123],
            ['acme:u:é', 1_700_000_000_001],
            ['acme:u:z', 1_700_000_000_001],
            ['other:u:1', 5],
          ],
        });
        expect(await store.earliestTimers(partition, 'acme', 10)).toEqual([
          ['acme:u:z', 1_700_000_000_001],
          ['acme:u:é', 1_700_000_000_001],
          ['acme:u:2', 1_700_000_000_123],
        ]);
        expect(await store.earliestTimers(partition, 'acme', 1)).toEqual([['acme:u:z', 1_700_000_000_001]]);
        expect(await store.earliestTimers(partition, 'acme', 0)).toEqual([]);
        expect(await store.earliestTimers(partition, 'other', 10)).toEqual([['other:u:1', 5]]);
        expect(await store.earliestTimers(partition, 'nobody', 10)).toEqual([]);
        expect(await store.earliestTimers(partition + 1, 'acme', 10)).toEqual([]);
      });

      it('move and go with the commit, and stay as they were when it is fenced', async () => {
        await move({
          timers: [
            ['acme:u:1', 10],
            ['acme:u:2', 20],
          ],
        });
        await move({
          timers: [
            ['acme:u:1', 30],
            ['acme:u:2', null],
            ['acme:u:3', null],
          ],
        });
        await store.commit(partition, commit('nobody', 'z', { timers: [['acme:u:1', 1]] }));
        expect(await store.earliestTimers(partition, 'acme', 10)).toEqual([['acme:u:1', 30]]);
      });

      it('of thousands of subjects move in one commit', async () => {
        const timers = Array.from({ length: 6_000 }, (_, i) => [`acme:u:${i}`, 10_000 - i] as const);
        await move({ timers });
        expect(await store.earliestTimers(partition, 'acme', 2)).toEqual([
          ['acme:u:5999', 4_001],
          ['acme:u:5998', 4_002],
        ]);
        await move({ timers: timers.slice(1).map(([key]) => [key, null] as const) });
        expect(await store.earliestTimers(partition, 'acme', 10)).toEqual([['acme:u:0', 10_000]]);
      });

      it.each([
        ['at no time', { timers: [['acme:u:1', 0.5]] }],
        ['before 1970', { timers: [['acme:u:1', -1]] }],
        ['too many', { timers: Array.from({ length: 6_001 }, (_, i) => [`acme:u:${i}`, 1] as const) }],
        [
          'of an expiry at no time',
          { outbox: [{ kind: 'expire', tenant: 'acme', subject: 'u:1', at: -1, ttlMs: 1 }] },
        ],
      ] satisfies [string, Partial<Commit>][])(
        'that are %s are refused, without writing',
        async (_, part) => {
          const bad = store.commit(
            partition,
            commit('', 'c1', { blobs: [['a', Buffer.from('1')]], ...part }),
          );
          await expect(bad).rejects.toMatchObject({ code: 'state_invalid' });
          expect(await store.load(partition, ['a'])).toEqual([null]);
        },
      );
    });

    describe('an expired subject', () => {
      const take = [decision([choice('a', [perSubject(1, 10 * day), perSession(1, 's', 10 * day)])])];
      const ttlMs = 4 * day;
      const expire = (at: number, isBack = false): OutboxItem => ({
        kind: 'expire',
        tenant: 'acme',
        subject: 'u:1',
        at,
        ttlMs,
        isBack,
      });
      /** As a worker does: its caps are looked at again one ttl later. */
      const forgetting = (at: number): Partial<Commit> => ({
        outbox: [expire(at)],
        timers: [['acme:u:1', at + ttlMs]],
      });

      it('takes its caps along when none of them can count any more', async () => {
        await store.commit(partition, commit('', 'c1', { outbox: take, timers: [['acme:u:1', 14 * day]] }));
        const at = 14 * day;
        await store.commit(partition, commit('c1', 'c2', forgetting(at)));
        expect(await store.earliestTimers(partition, 'acme', 10)).toEqual([]);
        const used = [perSession(1, 's', at), perSubject(1, 10 * day)];
        expect(await store.capsUsed(partition, 'acme', 'u:1', used)).toEqual([0, 0]);
      });

      it('leaves caps that could still count, and comes again', async () => {
        await store.commit(partition, commit('', 'c1', { outbox: take }));
        await store.commit(partition, commit('c1', 'c2', forgetting(14 * day - 1)));
        expect(await store.earliestTimers(partition, 'acme', 10)).toEqual([['acme:u:1', 18 * day - 1]]);
        expect(await store.capsUsed(partition, 'acme', 'u:1', [perSession(1, 's', 13 * day)])).toEqual([1]);
        await store.commit(partition, commit('c2', 'c3', forgetting(18 * day - 1)));
        expect(await store.earliestTimers(partition, 'acme', 10)).toEqual([]);
        expect(await store.capsUsed(partition, 'acme', 'u:1', [perSession(1, 's', 13 * day)])).toEqual([0]);
      });

      it('has them before it is forgotten and not after, within one commit', async () => {
        await store.commit(partition, commit('', 'c1', { outbox: take }));
        const again = decision([choice('a', [perSubject(1, 10 * day + 5)])]);
        const outcome = await store.commit(
          partition,
          commit('c1', 'c2', { outbox: [again, expire(20 * day), again] }),
        );
        expect(outcome).toMatchObject({
          resolutions: [{ slots: [{ chosen: -1 }] }, { slots: [{ chosen: 0 }] }],
        });
      });

      it('keeps its entry if it is back at the end of the commit', async () => {
        await store.commit(
          partition,
          commit('', 'c1', { outbox: [expire(20 * day, true)], timers: [['acme:u:1', 21 * day]] }),
        );
        expect(await store.earliestTimers(partition, 'acme', 10)).toEqual([['acme:u:1', 21 * day]]);
      });

      it('that took nothing leaves nothing', async () => {
        await store.commit(partition, commit('', 'c1', forgetting(5 * day)));
        expect(await store.earliestTimers(partition, 'acme', 10)).toEqual([]);
      });
    });

    describe('one who only asks for decisions', () => {
      const asking = (key: string, caps: Choice['caps'], forgetAt: number) => ({
        ...request(key, [choice('a', caps)]),
        forgetAt,
      });
      const entries = () => store.earliestTimers(partition, 'acme', 10);

      it('comes up in the index once it has taken a cap, when it was first to', async () => {
        await store.request(partition, asking('r1', [], 40 * day));
        expect(await entries()).toEqual([]);
        await store.request(partition, asking('r2', [perSession(1, 's', 10 * day)], 50 * day));
        await store.request(partition, asking('r3', [perSession(3, 's', 11 * day)], 51 * day));
        expect(await entries()).toEqual([['acme:u:1', 50 * day]]);
      });

      it('does not if a state is there, which has an entry of its own', async () => {
        await store.commit(partition, commit('', 'c1', { blobs: [['acme:u:1', Buffer.from('1')]] }));
        await store.request(partition, asking('r1', [perSubject(1, 10 * day)], 50 * day));
        expect(await entries()).toEqual([]);
      });
    });

    describe('caps', () => {
      const resolve = async (...choices: Choice[]) => {
        const { commitId } = await store.head(partition);
        const next = `after-${commitId || 'none'}`.slice(-60);
        const outcome = await store.commit(
          partition,
          commit(commitId, next, { outbox: [decision(choices)] }),
        );
        if (outcome.kind !== 'committed') throw new Error('fenced');
        return outcome.resolutions[0]!;
      };

      it('choose the first choice with room, and list all with room and all that was seen', async () => {
        await resolve(choice('a', [perSubject(1, 1_000)]));
        expect(
          await resolve(
            choice('a', [perSubject(1, 2_000), perSession(3, 's1', 2_000)]),
            choice('b', []),
            choice('c', [perSession(3, 's1', 2_000)]),
          ),
        ).toEqual({
          slots: [{ chosen: 1, available: [1, 2] }],
          capsSeen: [
            { cap: 'subject', action: 'a', used: 1, limit: 1 },
            { cap: 'session', action: 'a', used: 0, limit: 3 },
            { cap: 'session', action: 'c', used: 0, limit: 3 },
          ],
        });
      });

      it('choose nothing when nothing has room, or nothing was asked', async () => {
        await resolve(choice('a', [perSubject(1, 1_000)]));
        expect(await resolve(choice('a', [perSubject(1, 1_001)]))).toMatchObject({
          slots: [{ chosen: -1, available: [] }],
        });
        expect(await resolve()).toEqual({ slots: [{ chosen: -1, available: [] }], capsSeen: [] });
      });

      it('end with the choice of nothing, which takes from nothing', async () => {
        const choices = [choice('a', [perSubject(1, 1_000)]), choice('', []), choice('b', [])];
        const outcome = await store.commit(
          partition,
          commit('', 'c1', { outbox: [{ ...decision(choices), slots: 3 }] }),
        );
        expect(outcome).toMatchObject({
          resolutions: [
            {
              slots: [
                { chosen: 0, available: [0, 1, 2] },
                { chosen: 1, available: [1, 2] },
              ],
            },
          ],
        });
      });

      it('fill several slots in order, each with what the ones before it have left', async () => {
        const cap = [perSubject(2, 1_000)];
        const three = [choice('a', cap), choice('b', cap), choice('c', cap), choice('d', [])];
        const outcome = await store.commit(
          partition,
          commit('', 'c1', { outbox: [{ ...decision(three), slots: 4 }] }),
        );
        const resolution = {
          slots: [
            { chosen: 0, available: [0, 1, 2, 3] },
            { chosen: 1, available: [1, 2, 3] },
            { chosen: 3, available: [3] },
            { chosen: -1, available: [] },
          ],
          capsSeen: [
            { cap: 'subject', action: 'a', used: 0, limit: 2 },
            { cap: 'subject', action: 'b', used: 0, limit: 2 },
            { cap: 'subject', action: 'c', used: 0, limit: 2 },
            { cap: 'subject', action: 'c', used: 2, limit: 2, slot: 2 },
          ],
        };
        expect(outcome).toMatchObject({ resolutions: [resolution] });
        const [entry] = await store.readOutbox(partition, 0, 1, 0);
        expect(entry?.resolution).toEqual(resolution);
        const asked = await store.request(partition, { ...request('r1', three), slots: 2 });
        expect(asked).toMatchObject({
          resolution: {
            slots: [
              { chosen: 3, available: [3] },
              { chosen: -1, available: [] },
            ],
          },
        });
      });

      it.each([0, 17, 1.5])('refuse %d slots', async (slots) => {
        const invalid = { code: 'state_invalid' };
        const draft = { ...decision([]), slots };
        await expect(store.commit(partition, commit('', 'c1', { outbox: [draft] }))).rejects.toMatchObject(
          invalid,
        );
        await expect(store.request(partition, { ...request('r1', []), slots })).rejects.toMatchObject(
          invalid,
        );
      });

      it('do not take from a choice that was not chosen', async () => {
        await resolve(choice('a', []), choice('b', [perSubject(1, 1_000)]));
        expect(await resolve(choice('b', [perSubject(1, 1_000)]))).toMatchObject({ slots: [{ chosen: 0 }] });
      });

      it('have room again exactly one window later, and earlier by as much', async () => {
        await resolve(choice('a', [perSubject(1, 10 * day)]));
        const at = async (time: number) =>
          (await resolve(choice('a', [perSubject(1, time)]))).slots[0]?.chosen;
        expect(await at(11 * day - 1)).toBe(-1);
        expect(await at(9 * day + 1)).toBe(-1);
        expect(await at(11 * day)).toBe(0);
        expect(await at(9 * day)).toBe(0);
      });

      it('count sessions apart, without end', async () => {
        const at = async (session: string, time: number) =>
          (await resolve(choice('a', [perSession(2, session, time)]))).slots[0]?.chosen;
        expect([await at('s1', 1), await at('s1', 2), await at('s1', 900 * day)]).toEqual([0, 0, -1]);
        expect(await at('s2', 900 * day)).toBe(0);
      });

      it('hold between decisions of one commit, and between tenants and subjects not at all', async () => {
        const one = [choice('a', [perSubject(1, 5)])];
        const outcome = await store.commit(
          partition,
          commit('', 'c1', {
            outbox: [
              decision(one),
              { kind: 'batch', payload: 'between' },
              decision(one),
              { ...decision(one), subject: 'u:2' } as OutboxItem,
              { ...decision(one), tenant: 'other' } as OutboxItem,
            ],
          }),
        );
        expect(outcome).toMatchObject({
          resolutions: [
            { slots: [{ chosen: 0 }] },
            { slots: [{ chosen: -1 }] },
            { slots: [{ chosen: 0 }] },
            { slots: [{ chosen: 0 }] },
          ],
        });
        const entries = await store.readOutbox(partition, 0, 10, 0);
        expect(entries.map(({ kind, resolution }) => [kind, resolution?.slots[0]?.chosen ?? null])).toEqual([
          ['decision', 0],
          ['batch', null],
          ['decision', -1],
          ['decision', 0],
          ['decision', 0],
        ]);
      });

      it('exclude others of their group, between slots and over a window, but not themselves', async () => {
        const only = (name: string, at: number): CapTake => ({
          cap: `!discounts/${name}`,
          session: null,
          limit: 1,
          windowMs: day,
          at,
          role: 'exclude',
        });
        const both = (at: number) => [choice('a', [only('a', at)]), choice('b', [only('b', at)])];
        const outcome = await store.commit(
          partition,
          commit('', 'c1', {
            outbox: [
              { ...decision(both(5 * day)), slots: 2 },
              decision([choice('b', [only('b', 6 * day - 1)]), choice('a', [only('a', 6 * day - 1)])]),
              decision([choice('b', [only('b', 7 * day)])]),
            ],
          }),
        );
        expect(outcome).toMatchObject({
          resolutions: [
            {
              slots: [{ chosen: 0, available: [0, 1] }, { chosen: -1 }],
              capsSeen: [
                { cap: '!discounts/a', used: 0, limit: 1 },
                { cap: '!discounts/b', used: 0, limit: 1 },
                { cap: '!discounts/b', used: 1, limit: 1, slot: 1 },
              ],
            },
            { slots: [{ chosen: 1, available: [1] }] },
            { slots: [{ chosen: 0 }] },
          ],
        });
      });

      it('have no room for a while after a dismissal, on either path, nor for whom it moves to', async () => {
        const cooling = (at: number): Choice[] => [
          choice('a', [
            { cap: '!dismissed/a', session: null, limit: 1, windowMs: day, at, role: 'after' },
            perSubject(9, at),
          ]),
        ];
        const dismissal: OutboxItem = {
          kind: 'mark',
          tenant: 'acme',
          subject: 'u:1',
          cap: '!dismissed/a',
          windowMs: day,
          at: 5 * day,
        };
        const outcome = await store.commit(
          partition,
          commit('', 'c1', {
            outbox: [decision(cooling(5 * day - 1)), dismissal, decision(cooling(6 * day - 1))],
          }),
        );
        expect(outcome).toMatchObject({
          resolutions: [{ slots: [{ chosen: 0 }] }, { slots: [{ chosen: -1 }] }],
        });
        expect(await store.request(partition, request('r1', cooling(5 * day)))).toMatchObject({
          resolution: { slots: [{ chosen: -1 }], capsSeen: [{ used: 1, limit: 1 }, { used: 1 }] },
        });
        expect(await store.request(partition, request('r2', cooling(6 * day)))).toMatchObject({
          resolution: { slots: [{ chosen: 0 }] },
        });
        await store.commit(
          partition,
          commit('c1', 'c2', {
            outbox: [{ kind: 'transfer', payload: '{}', tenant: 'acme', subject: 'u:1' }],
          }),
        );
        const entries = await store.readOutbox(partition, 0, 10, 0);
        const caps = entries.at(-1)?.caps ?? '';
        await store.commit(
          partition,
          commit('c2', 'c3', { outbox: [{ kind: 'caps', tenant: 'acme', subject: 'u:2', caps }] }),
        );
        const [after] = cooling(6 * day - 1)[0]!.caps;
        expect(await store.capsUsed(partition, 'acme', 'u:2', [after!])).toEqual([1]);
      });

      it('take a cap once for a choice that lists it twice', async () => {
        const twice = [perSubject(2, 5), perSubject(2, 5)];
        expect(await resolve(choice('a', twice))).toMatchObject({
          slots: [{ chosen: 0 }],
          capsSeen: [{ used: 0 }],
        });
        expect(await store.capsUsed(partition, 'acme', 'u:1', [perSubject(2, 5)])).toEqual([1]);
      });

      it('are read without taking', async () => {
        await resolve(choice('a', [perSubject(2, 1_000), perSession(5, 's1', 1_000)]));
        const takes = [
          perSubject(2, 1_500),
          perSession(5, 's1', 1_500),
          perSession(5, 's2', 1_500),
          perSubject(2, 3 * day),
        ];
        expect(await store.capsUsed(partition, 'acme', 'u:1', takes)).toEqual([1, 1, 0, 0]);
        expect(await store.capsUsed(partition, 'acme', 'u:1', takes)).toEqual([1, 1, 0, 0]);
        expect(await store.capsUsed(partition, 'acme', 'u:9', takes)).toEqual([0, 0, 0, 0]);
        expect(await store.capsUsed(partition, 'acme', 'u:1', [])).toEqual([]);
        const many = Array.from({ length: 4_000 }, () => perSubject(2, 1_500));
        expect(await store.capsUsed(partition, 'acme', 'u:1', many)).toEqual(many.map(() => 1));
      });

      it('of what was forgotten count as full, so that forgetting never exceeds a cap', async () => {
        const at = async (time: number) =>
          (await resolve(choice('a', [perSubject(1, time)]))).slots[0]?.chosen;
        expect([await at(10 * day), await at(12 * day), await at(20 * day)]).toEqual([0, 0, 0]);
        expect(await at(12 * day + 1)).toBe(-1);
        expect(await at(5 * day)).toBe(-1);
        expect(await at(19 * day)).toBe(0);
      });

      it('remember the newest 16 sessions; an older one that was forgotten counts as full', async () => {
        const at = async (session: string, time: number) =>
          (await resolve(choice('a', [perSession(1, session, time)]))).slots[0]?.chosen;
        for (let i = 0; i < 17; i++) expect(await at(`s${i}`, i + 1)).toBe(0);
        expect(await at('s16', 99)).toBe(-1);
        expect(await at('s1', 2)).toBe(-1);
        expect(await at('s0', 1)).toBe(-1);
      });
    });

    describe('generations', () => {
      const blob = (text: string) => Buffer.from(text);

      it('are built beside the one in force, with a chain of their own', async () => {
        await store.commit(
          partition,
          commit('', 'c1', { position: 9, blobs: [['acme:u:1', blob('old')]], timers: [['acme:u:1', 5]] }),
        );
        const shadow = store.shadow(1);
        expect(await shadow.head(partition)).toEqual({
          position: 0,
          commitId: '',
          sequence: 0,
          generation: 0,
        });
        await shadow.commit(
          partition,
          commit('', 's1', {
            position: 4,
            blobs: [['acme:u:1', blob('new')]],
            timers: [['acme:u:1', 7]],
            partitionState: blob('shadow'),
          }),
        );
        expect(await shadow.head(partition)).toMatchObject({
          position: 4,
          commitId: 's1',
          sequence: 1,
          generation: 0,
        });
        expect(await shadow.load(partition, ['acme:u:1'])).toEqual([blob('new')]);
        expect(await shadow.earliestTimers(partition, 'acme', 9)).toEqual([['acme:u:1', 7]]);
        expect(await shadow.partitionState(partition)).toEqual(blob('shadow'));
        expect(await store.head(partition)).toMatchObject({ position: 9, commitId: 'c1', generation: 0 });
        expect(await store.load(partition, ['acme:u:1'])).toEqual([blob('old')]);
        expect(await store.earliestTimers(partition, 'acme', 9)).toEqual([['acme:u:1', 5]]);
        expect(await store.partitionState(partition)).toBeNull();
        expect(await store.shadow(2).load(partition, ['acme:u:1'])).toEqual([null]);
        expect(await shadow.commit(partition, commit('other', 's2', { position: 5 }))).toMatchObject({
          kind: 'fenced',
        });
      });

      it('come into force with one commit, at the position they have reached', async () => {
        const shadow = store.shadow(3);
        await store.commit(
          partition,
          commit('', 'c1', { position: 2, blobs: [['acme:u:1', blob('old')]], partitionState: blob('p') }),
        );
        await shadow.commit(
          partition,
          commit('', 's1', { position: 5, blobs: [['acme:u:1', blob('new')]], timers: [['acme:u:1', 7]] }),
        );
        await expect(
          store.commit(partition, commit('c1', 'c2', { position: 4, activate: 3 })),
        ).rejects.toMatchObject({ code: 'state_refused' });
        expect(await store.head(partition)).toMatchObject({ position: 2, generation: 0 });
        const before = await store.load(partition, ['acme:u:1']);
        expect(before).toEqual([blob('old')]);
        const switched = commit('c1', 'c2', {
          position: 5,
          activate: 3,
          blobs: [['acme:u:1', blob('last of the old')]],
        });
        expect(await store.commit(partition, switched)).toMatchObject({
          kind: 'committed',
          sequence: 2,
        });
        expect(await store.commit(partition, switched)).toMatchObject({
          kind: 'committed',
          sequence: 2,
        });
        expect(await store.head(partition)).toEqual({
          position: 5,
          commitId: 'c2',
          sequence: 2,
          generation: 3,
        });
        expect(await store.load(partition, ['acme:u:1'])).toEqual([blob('new')]);
        expect(await store.earliestTimers(partition, 'acme', 9)).toEqual([['acme:u:1', 7]]);
        expect(await store.partitionState(partition)).toEqual(blob('p'));
      });

      it('fence whoever still writes the one before, or builds one that is in force', async () => {
        const shadow = store.shadow(1);
        await store.commit(partition, commit('', 'c1', { position: 5 }));
        await shadow.commit(partition, commit('', 's1', { position: 5 }));
        await store.commit(partition, commit('c1', 'c2', { position: 5, activate: 1 }));
        const late = commit('s1', 's2', { position: 6, blobs: [['acme:u:1', blob('zombie')]] });
        expect(await shadow.commit(partition, late)).toMatchObject({
          kind: 'fenced',
          head: { generation: 1 },
        });
        expect(await store.commit(partition, commit('c2', 'c3', { position: 6 }))).toMatchObject({
          kind: 'fenced',
          head: { commitId: 'c2', generation: 1 },
        });
        expect(await store.load(partition, ['acme:u:1'])).toEqual([null]);
        await store.commit(
          partition,
          commit('c2', 'c3', { position: 6, generation: 1, blobs: [['acme:u:1', blob('1')]] }),
        );
        expect(await store.load(partition, ['acme:u:1'])).toEqual([blob('1')]);
      });

      it('decide requests by the blob in force, and share caps and answers', async () => {
        const shadow = store.shadow(1);
        const moved = Buffer.from([movedMark, 1]);
        await store.commit(partition, commit('', 'c1', { position: 5 }));
        await shadow.commit(partition, commit('', 's1', { position: 5, blobs: [['acme:u:1', moved]] }));
        const asked = { ...request('r1', []), subject: 'u:1' };
        expect(await store.request(partition, asked)).toMatchObject({ kind: 'decided' });
        await store.commit(partition, commit('c1', 'c2', { position: 5, activate: 1 }));
        expect(await store.request(partition, { ...asked, idempotencyKey: 'r2' })).toEqual({ kind: 'moved' });
        expect(await store.request(partition, { ...request('r3', []), subject: 'u:2' })).toMatchObject({
          kind: 'decided',
        });
      });

      it('are forgotten key by key, but never the one in force', async () => {
        const keys = Array.from({ length: 2_500 }, (_, i) => `acme:u:${i}`);
        const shadow = store.shadow(1);
        await store.commit(
          partition,
          commit('', 'c1', {
            position: 5,
            blobs: keys.map((key) => [key, blob('old')]),
            timers: [['acme:u:1', 5]],
          }),
        );
        await store.commit(
          partition + 1,
          commit('', 'c1', { position: 5, blobs: [['acme:u:1', blob('2')]] }),
        );
        await shadow.commit(
          partition,
          commit('', 's1', { position: 5, blobs: keys.map((key) => [key, blob('new')]) }),
        );
        await expect(store.forgetGeneration(partition, 0)).rejects.toMatchObject({ code: 'state_invalid' });
        await store.commit(partition, commit('c1', 'c2', { position: 5, activate: 1 }));
        await store.forgetGeneration(partition, 0);
        await store.forgetGeneration(partition, 0);
        expect((await store.load(partition, keys)).every((found) => String(found) === 'new')).toBe(true);
        expect(await store.load(partition + 1, ['acme:u:1'])).toEqual([blob('2')]);
        await store
          .shadow(2)
          .commit(partition, commit('', 's1', { position: 7, blobs: [['acme:u:1', blob('3')]] }));
        await store.forgetGeneration(partition, 2);
        expect(await store.shadow(2).load(partition, ['acme:u:1'])).toEqual([null]);
        expect(await store.shadow(2).head(partition)).toMatchObject({ position: 0, commitId: '' });
        await expect(store.forgetGeneration(partition, 1)).rejects.toMatchObject({ code: 'state_invalid' });
      });
    });

    describe('the request path', () => {
      it('takes caps and publishes, and touches neither position nor blobs', async () => {
        await store.commit(
          partition,
          commit('', 'c1', { position: 3, blobs: [['acme:u:1', Buffer.from('blob')]] }),
        );
        const outcome = await store.request(partition, request('r1', [choice('a', [perSubject(1, 1_000)])]));
        const resolution = {
          slots: [{ chosen: 0, available: [0] }],
          capsSeen: [{ cap: 'subject', action: 'a', used: 0, limit: 1 }],
        };
        expect(outcome).toEqual({ kind: 'decided', offset: 0, resolution });
        expect(await store.readOutbox(partition, 0, 10, 0)).toEqual([
          {
            offset: 0,
            kind: 'decision',
            payload: 'payload of r1',
            resolution,
            mark: expect.stringContaining('request'),
          },
        ]);
        expect(await store.head(partition)).toEqual({
          position: 3,
          commitId: 'c1',
          sequence: 1,
          generation: 0,
        });
        expect(await store.load(partition, ['acme:u:1'])).toEqual([Buffer.from('blob')]);
      });

      it('gives a repeated key the first answer, and no second effect', async () => {
        const choices = [choice('a', [perSubject(5, 1_000)])];
        const first = await store.request(partition, request('r1', choices));
        const again = await store.request(partition, { ...request('r1', []), payload: 'another payload' });
        expect(again).toEqual({
          kind: 'repeated',
          payload: 'payload of r1',
          resolution: resolutionOf(first),
        });
        expect(await store.outboxRange(partition)).toEqual({ start: 0, end: 1 });
        expect(await store.capsUsed(partition, 'acme', 'u:1', [perSubject(5, 1_000)])).toEqual([1]);
        const elsewhere = { ...request('r1', choices), tenant: 'other' };
        expect(await store.request(partition, elsewhere)).toMatchObject({ kind: 'decided', offset: 1 });
      });

      it('shares its caps with the commits', async () => {
        await store.request(partition, request('r1', [choice('a', [perSubject(1, 1_000)])]));
        const item = decision([choice('a', [perSubject(1, 1_001)])]);
        expect(await store.commit(partition, commit('', 'c1', { outbox: [item] }))).toMatchObject({
          resolutions: [{ slots: [{ chosen: -1 }] }],
        });
      });

      it('never exceeds a cap, with many requests and commits at once', async () => {
        const choices = [choice('a', [perSubject(7, 1_000)])];
        const requests = Array.from({ length: 40 }, (_, i) =>
          store.request(partition, request(`r${i}`, choices)),
        );
        const commits = Array.from({ length: 8 }, (_, i) =>
          store.commit(
            partition,
            commit(i === 0 ? '' : `c${i - 1}`, `c${i}`, { outbox: [decision(choices)] }),
          ),
        );
        const resolutions = [
          ...(await Promise.all(requests)).map(resolutionOf),
          ...(await Promise.all(commits)).flatMap((outcome) =>
            outcome.kind === 'committed' ? outcome.resolutions : [],
          ),
        ];
        expect(resolutions).toHaveLength(48);
        expect(resolutions.filter((resolution) => resolution?.slots[0]?.chosen === 0)).toHaveLength(7);
      });

      it('refuses what it could not keep', async () => {
        const bad = store.request(partition, { ...request('r1', []), keepMs: 0 });
        await expect(bad).rejects.toMatchObject({ code: 'state_invalid' });
        const nameless = store.request(partition, request('', []));
        await expect(nameless).rejects.toMatchObject({ code: 'state_invalid' });
        expect(await store.outboxRange(partition)).toEqual({ start: 0, end: 0 });
      });
    });

    describe('a subject that becomes another', () => {
      const move = (payload: string, subject = 'a:1'): OutboxItem => ({
        kind: 'transfer',
        payload,
        tenant: 'acme',
        subject,
      });
      const used = (subject: string, take: CapTake) => store.capsUsed(partition, 'acme', subject, [take]);

      it('is published with its caps, taken up to there, and has none afterwards', async () => {
        await store.request(partition, {
          ...request('r1', [choice('a', [perSession(5, 's1', 1_000)])]),
          subject: 'a:1',
        });
        const offered = [choice('a', [perSubject(5, 2_000)])];
        await store.commit(
          partition,
          commit('', 'c1', {
            outbox: [
              decision(offered, 'a:1'),
              move('{"moved":1}'),
              { kind: 'forward', payload: '{"forwarded":1}' },
              decision(offered, 'a:1'),
              move('{"moved":2}'),
              move('{"moved":3}', 'a:nobody'),
            ],
          }),
        );
        const entries = await store.readOutbox(partition, 0, 10, 0);
        expect(entries.map(({ kind, payload }) => [kind, payload])).toEqual([
          ['decision', 'payload of r1'],
          ['decision', '{"record":{}}'],
          ['transfer', '{"moved":1}'],
          ['forward', '{"forwarded":1}'],
          ['decision', '{"record":{}}'],
          ['transfer', '{"moved":2}'],
          ['transfer', '{"moved":3}'],
        ]);
        expect(entries.map(({ caps }) => (caps === undefined ? null : JSON.parse(caps)))).toEqual([
          null,
          null,
          { 'w:subject': [day, -1, 2_000], 's:s1': [1_000, ['session', 1]] },
          null,
          null,
          { 'w:subject': [day, -1, 2_000] },
          {},
        ]);
        expect(await used('a:1', perSubject(5, 2_000))).toEqual([0]);
      });

      it('brings its caps along: they are added before the decisions behind them', async () => {
        const caps = JSON.stringify({ 'w:subject': [day, -1, 2_000], 's:s1': [1_000, ['session', 2]] });
        const offered = [choice('a', [perSubject(2, 2_001)])];
        const outcome = await store.commit(
          partition,
          commit('', 'c1', {
            outbox: [
              decision(offered),
              { kind: 'caps', tenant: 'acme', subject: 'u:1', caps },
              decision(offered),
            ],
          }),
        );
        expect(outcome).toMatchObject({
          resolutions: [{ slots: [{ chosen: 0 }] }, { slots: [{ chosen: -1 }] }],
        });
        expect(await store.outboxRange(partition)).toEqual({ start: 0, end: 2 });
        expect(await used('u:1', perSubject(9, 2_001))).toEqual([2]);
        expect(await used('u:1', perSession(9, 's1', 1_000))).toEqual([2]);
      });

      it('refuses caps that are none, before anything is written', async () => {
        for (const caps of [
          '',
          '[]',
          '{"x":[1]}',
          '{"w:a":["1",2]}',
          '{"s:a":[1,["b"]]}',
          '{"f":[1e99,0]}',
        ]) {
          const bad = commit('', 'c1', {
            outbox: [{ kind: 'caps', tenant: 'acme', subject: 'u:1', caps }],
          });
          await expect(store.commit(partition, bad)).rejects.toMatchObject({ code: 'state_invalid' });
        }
        expect(await store.head(partition)).toMatchObject({ commitId: '' });
      });

      it('is not decided for any more: the request path says so, but answers a repeat', async () => {
        const first = await store.request(partition, { ...request('r1', []), subject: 'a:1' });
        expect(first.kind).toBe('decided');
        await store.commit(
          partition,
          commit('', 'c1', { blobs: [['acme:a:1', Buffer.from([movedMark, 1])]] }),
        );
        const ask = (key: string) => store.request(partition, { ...request(key, []), subject: 'a:1' });
        expect(await ask('r2')).toEqual({ kind: 'moved' });
        expect(await ask('r1')).toMatchObject({ kind: 'repeated' });
        expect(await store.outboxRange(partition)).toEqual({ start: 0, end: 1 });
      });
    });

    describe('the outbox', () => {
      const publish = async (count: number): Promise<void> => {
        const { commitId } = await store.head(partition);
        const outbox = Array.from(
          { length: count },
          (_, i): OutboxItem => ({ kind: 'batch', payload: `${i}` }),
        );
        await store.commit(partition, commit(commitId, `next-${commitId}`.slice(-60), { outbox }));
      };

      it('is read in order, from any offset, at most as much as asked', async () => {
        await publish(5);
        const offsets = async (from: number, limit: number) =>
          (await store.readOutbox(partition, from, limit, 0)).map(({ offset }) => offset);
        expect(await offsets(0, 3)).toEqual([0, 1, 2]);
        expect(await offsets(3, 10)).toEqual([3, 4]);
        expect(await offsets(5, 10)).toEqual([]);
      });

      it('wakes every waiting reader', async () => {
        const waiting = [1, 2, 3].map(() => store.readOutbox(partition, 0, 10, 10_000));
        await publish(1);
        for (const read of await Promise.all(waiting)) expect(read.map(({ offset }) => offset)).toEqual([0]);
        expect(await store.readOutbox(partition, 1, 10, 20)).toEqual([]);
      });

      it('forgets what is trimmed, counts on, and says so to a reader that wanted it', async () => {
        await publish(250);
        await store.trimOutbox(partition, 107);
        expect(await store.outboxRange(partition)).toEqual({ start: 107, end: 250 });
        await expect(store.readOutbox(partition, 106, 10, 0)).rejects.toMatchObject({
          code: 'outbox_lost',
          details: { start: 107, end: 250 },
        });
        expect((await store.readOutbox(partition, 107, 1, 0))[0]).toMatchObject({
          offset: 107,
          payload: '107',
        });
        await store.trimOutbox(partition, 250);
        await publish(1);
        expect(await store.outboxRange(partition)).toEqual({ start: 250, end: 251 });
      });

      it('says so to a reader whose last entry is of another history', async () => {
        await publish(3);
        const [, second] = await store.readOutbox(partition, 0, 2, 0);
        const next = await store.readOutbox(partition, 2, 10, 0, second?.mark);
        expect(next.map(({ offset }) => offset)).toEqual([2]);
        await expect(store.readOutbox(partition, 2, 10, 0, 'another')).rejects.toMatchObject({
          code: 'outbox_lost',
        });
        await store.trimOutbox(partition, 2);
        expect(await store.readOutbox(partition, 2, 10, 0, 'cannot be known any more')).toHaveLength(1);
      });

      it('says so to a reader beyond its end', async () => {
        await publish(2);
        await expect(store.readOutbox(partition, 9, 10, 0)).rejects.toMatchObject({ code: 'outbox_lost' });
      });
    });

    it('keeps what readers save, each partition and reader apart', async () => {
      expect(await store.readerState(partition, 'sink')).toBeNull();
      await store.saveReaderState(partition, 'sink', '{"position":3}');
      await store.saveReaderState(partition, 'push', 'ü');
      await store.saveReaderState(partition, 'sink', '{"position":4}');
      expect(await store.readerState(partition, 'sink')).toBe('{"position":4}');
      expect(await store.readerState(partition, 'push')).toBe('ü');
      expect(await store.readerState(partition + 1, 'sink')).toBeNull();
    });

    it('keeps the layouts of blobs', async () => {
      expect(await store.layouts()).toEqual([]);
      await store.saveLayout(4_000_000_000, 'second');
      await store.saveLayout(7, 'first');
      await store.saveLayout(7, 'first');
      expect(await store.layouts()).toEqual(['first', 'second']);
    });
  });
}

const resolutionOf = (outcome: RequestOutcome): Resolution | undefined =>
  outcome.kind === 'moved' ? undefined : outcome.resolution;

export function commit(previous: string, id: string, part: Partial<Commit> = {}): Commit {
  return { previous, id, position: 1_000, blobs: [], partitionState: null, outbox: [], ...part };
}

export function decision(choices: readonly Choice[], subject = 'u:1'): OutboxItem & { kind: 'decision' } {
  return { kind: 'decision', payload: '{"record":{}}', tenant: 'acme', subject, choices };
}

export function choice(action: string, caps: readonly CapTake[]): Choice {
  return { action, caps, offer: null, mode: 'act' };
}

const perSubject = (limit: number, at: number): CapTake => ({
  cap: 'subject',
  session: null,
  limit,
  windowMs: day,
  at,
});

const perSession = (limit: number, session: string, at: number): CapTake => ({
  cap: 'session',
  session,
  limit,
  windowMs: null,
  at,
});

export function request(idempotencyKey: string, choices: readonly Choice[]): RequestCommit {
  return {
    idempotencyKey,
    tenant: 'acme',
    subject: 'u:1',
    payload: `payload of ${idempotencyKey}`,
    choices,
    keepMs: 60_000,
  };
}
