import { describe, expect, it } from 'vitest';
import { renderState } from './state.ts';

const time = Date.UTC(2026, 0, 1);

describe('presage state inspect', () => {
  it('tells everything in lines for people', () => {
    const text = renderState({
      tenant: 'shop',
      subject: 'u:42',
      partition: 3,
      position: 17,
      newest: time,
      blob: { bytes: 321, version: 2 },
      session: 's-1',
      sessions: [{ name: null, first: time - 1_000, last: time }],
      moved: null,
      links: [{ anonymousId: 'a7', hasArrived: true }],
      remembered: { ids: 2, oldest: time - 1_000 },
      timers: {
        due: time + 5_000,
        pending: [{ trigger: 'left', key: 'cart-1', due: time + 5_000 }],
        held: [
          { trigger: 'full', isTrue: true, firedAt: null },
          { trigger: 'slow', isTrue: false, firedAt: time },
        ],
      },
      features: [
        { name: 'views', kind: 'count', value: 2, words: '1 of 60 buckets' },
        { name: 'seen', kind: 'last', value: null, words: null },
      ],
      shared: ['item_views'],
      caps: [{ cap: 'help/session', used: 1, limit: 2 }],
    });
    expect(text.split('\n')).toEqual([
      'subject       u:42 of shop, partition 3',
      'reflects      the log up to position 17',
      'newest event  2026-01-01T00:00:00.000Z',
      'blob          321 bytes, version 2',
      'session       s-1',
      '  remembered  a visit: 2025-12-31T23:59:59.000Z to 2026-01-01T00:00:00.000Z',
      'identity      was a7 too; its state has arrived',
      'event ids     2 kept against repeats, the oldest of 2025-12-31T23:59:59.000Z',
      'timers        looked at next at 2026-01-01T00:00:05.000Z',
      '  waits       left for cart-1, due 2026-01-01T00:00:05.000Z',
      '  condition   full holds',
      '  condition   slow does not hold, cools down since 2026-01-01T00:00:00.000Z',
      'cap           help/session: 1 of 2 used',
      'feature       views (count) = 2',
      '                1 of 60 buckets',
      'feature       seen (last) = nothing',
      'shared        item_views: of all subjects, kept apart; the records of decisions hold what they read',
    ]);
  });
});
