import { describe, expect, it } from 'vitest';
import type { LiveMessage } from '../../../schemas/index.ts';
import { describe as inWords } from './describe.ts';
import { makeFeed, maximumRows } from './feed.ts';

const head = { at: 1_000, tenant: 'shop', subject: 'u:1', simulated: false };
const event = (type: string, rest: object = {}): LiveMessage => ({
  kind: 'event',
  ...head,
  type,
  properties: {},
  declared: true,
  ...rest,
});
const decision = (id: string, features: Record<string, number | null>): LiveMessage => ({
  kind: 'decision',
  ...head,
  id,
  placement: 'banner',
  action: 'help',
  mode: 'act',
  features,
  totalMs: 2,
});
const all = { kinds: null, tenant: null, subject: null };

describe('the live feed', () => {
  it('keeps the newest 200 rows, newest first', () => {
    const feed = makeFeed();
    for (let number = 0; number < 1_000; number++) feed.take(event(`e${number}`));
    const { rows, taken, counts } = feed.view();
    expect(rows).toHaveLength(maximumRows);
    expect(rows[0]?.message).toMatchObject({ type: 'e999' });
    expect(rows.at(-1)?.message).toMatchObject({ type: 'e800' });
    expect([taken, counts.event]).toEqual([1_000, 1_000]);
  });

  it('says at a decision what changed since the one before of the same subject', () => {
    const feed = makeFeed();
    feed.take(decision('d1', { cart_value: 10, views: 1, last: null }));
    feed.take(decision('d2', { cart_value: 10, views: 2, last: null }));
    feed.take(decision('d3', { cart_value: 10, views: 2, last: null }));
    const features = feed
      .view()
      .rows.flatMap(({ message }) => (message.kind === 'features' ? [message] : []));
    expect(features.map(({ decision: id, changes }) => [id, changes])).toEqual([
      ['d2', [{ name: 'views', before: 1, after: 2 }]],
      [
        'd1',
        [
          { name: 'cart_value', before: undefined, after: 10 },
          { name: 'views', before: undefined, after: 1 },
        ],
      ],
    ]);
  });

  it('does not take one tenant for the other', () => {
    const feed = makeFeed();
    feed.take(decision('d1', { views: 1 }));
    feed.take({ ...decision('d2', { views: 1 }), tenant: 'other' } as LiveMessage);
    expect(feed.view().counts.features).toBe(2);
  });

  it('takes in only what passes the filter, so that the rare is not pushed out by the frequent', () => {
    const feed = makeFeed();
    feed.setFilter({ ...all, kinds: new Set(['outcome']) });
    feed.take({ kind: 'outcome', ...head, decision: 'd1', action: 'help', what: 'accepted' });
    for (let number = 0; number < 1_000; number++) feed.take(event('page'));
    expect(feed.view().rows.map(({ message }) => message.kind)).toEqual(['outcome']);
    expect(feed.view().counts.event).toBe(1_000);
  });

  it('filters by tenant and subject; a dead letter belongs to no tenant', () => {
    const feed = makeFeed();
    feed.take(event('mine'));
    feed.take(event('theirs', { tenant: 'other' }));
    feed.take({ kind: 'dead', at: 1, code: 'not_json', message: 'no' });
    feed.setFilter({ ...all, tenant: 'shop' });
    expect(feed.view().rows.map(({ message }) => message.kind)).toEqual(['dead', 'event']);
    feed.setFilter({ ...all, subject: 'u:2' });
    expect(feed.view().rows).toEqual([]);
  });

  it('adds up what was skipped, and remembers a bounded number of pushes', () => {
    const feed = makeFeed();
    feed.take({ kind: 'skipped', count: 7 });
    feed.take({ kind: 'skipped', count: 5 });
    for (let number = 0; number < 600; number++) {
      feed.take({ kind: 'pushed', ...head, at: number, decision: `d${number}`, action: 'help' });
    }
    expect(feed.view().skipped).toBe(12);
    expect([feed.pushedAt('d0'), feed.pushedAt('d599')]).toEqual([null, 599]);
  });
});

describe('a row in words', () => {
  it('stays short, whatever a client sends', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 30 }, (_, key) => [`property_${key}`, { deep: 'x'.repeat(500) }]),
    );
    const { main, rest } = inWords({ ...event('Cart Viewed', { properties, declared: false }) } as never);
    expect(main).toBe('Cart Viewed');
    expect(rest).toMatch(/\+26 more · undeclared type$/);
    expect(rest.length).toBeLessThan(140);
  });
});
