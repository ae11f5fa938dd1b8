import { describe, expect, it } from 'vitest';
import { paths, routeOf } from './routes.ts';

describe('addresses', () => {
  it('name a page each', () => {
    expect(routeOf('/')).toEqual({ page: 'live' });
    expect(routeOf('/decisions')).toEqual({ page: 'decisions' });
    expect(routeOf('/decisions/')).toEqual({ page: 'decisions' });
    expect(routeOf('/reviews')).toEqual({ page: 'reviews' });
    expect(routeOf(paths.review('d1'))).toEqual({ page: 'review', id: 'd1' });
    expect(routeOf('/subjects')).toEqual({ page: 'unknown' });
    expect(routeOf('/decisions/a/b')).toEqual({ page: 'unknown' });
  });

  it('carry any id there and back', () => {
    for (const id of ['u:42', 'a:sim-1', 'u:mail+tag@example.com/x?y#z%', 'u:Zoë 🛒']) {
      const path = (to: string) => new URL(to, 'http://console').pathname;
      expect(routeOf(path(paths.subject(id, 'shop')))).toEqual({ page: 'subject', id });
      expect(routeOf(path(paths.decision(id)))).toEqual({ page: 'decision', id });
    }
  });

  it('with a broken escape are taken as they are', () => {
    expect(routeOf('/subjects/%E0%A4%A')).toEqual({ page: 'subject', id: '%E0%A4%A' });
  });
});
