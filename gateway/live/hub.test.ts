import { describe, expect, it } from 'vitest';
import type { LiveMessage } from '../../schemas/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { makeLiveHub } from './hub.ts';

const event = (i: number): LiveMessage => ({
  kind: 'event',
  at: i,
  tenant: 'acme',
  subject: 'u:1',
  type: 'viewed',
  properties: {},
  simulated: false,
  declared: true,
});
const dead: LiveMessage = { kind: 'dead', at: 0, code: 'not_json', message: 'The record is not JSON.' };

function watched() {
  const clock = manualClock(0);
  const hub = makeLiveHub(clock, () => {});
  const seen: LiveMessage[] = [];
  const leave = hub.listen((message) => seen.push(message));
  return { clock, hub, seen, leave };
}

describe('the live hub', () => {
  it('sends at most 30 messages a second, 20 of them events, and says how many it left out', () => {
    const { clock, hub, seen } = watched();
    let made = 0;
    for (let i = 0; i < 1_000; i++) {
      hub.offer('event', () => {
        made++;
        return event(i);
      });
    }
    for (let i = 0; i < 50; i++) hub.offer('dead', () => dead);
    expect(seen.filter(({ kind }) => kind === 'event')).toHaveLength(20);
    expect(seen.filter(({ kind }) => kind === 'dead')).toHaveLength(10);
    // What is not sent is not even parsed.
    expect(made).toBe(20);
    clock.set(1_000);
    hub.tick();
    expect(seen.at(-1)).toEqual({ kind: 'skipped', count: 980 + 40 });
    hub.offer('event', () => event(1));
    expect(seen.at(-1)?.kind).toBe('event');
  });

  it('does nothing for no one, and limits how many watch', () => {
    const { hub, seen, leave } = watched();
    leave();
    leave();
    hub.offer('dead', () => {
      throw new Error('must not be made');
    });
    expect([seen, hub.listeners]).toEqual([[], 0]);
    for (let i = 0; i < 20; i++) hub.listen(() => {});
    expect(() => hub.listen(() => {})).toThrow(
      expect.objectContaining({ code: 'too_many_listeners', retriable: true }),
    );
  });
});
