import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresageError } from '../../core/index.ts';
import { fixtureConfig, fixtureEvents, fixtureTimers } from '../../tests/support/feature-fixtures.ts';
import {
  knowsEvent,
  makeFeatureSet,
  moveTo,
  noteApplied,
  noteSighting,
  pendingTransfers,
  seenAs,
} from './index.ts';

const start = 1_700_000_000_000;
const fixtureOf = (file: string) =>
  JSON.parse(readFileSync(new URL(`./fixtures/identity/${file}`, import.meta.url), 'utf8'));
const blobOf = (fixture: { blob: readonly string[] }): Buffer => Buffer.from(fixture.blob.join(''), 'hex');

/** A user that two anonymous ids became; the state of one has arrived. */
function linked() {
  const set = makeFeatureSet(fixtureConfig);
  const state = set.empty();
  noteSighting(state, 'visitor-ü', start + 90_000);
  for (const [position, event] of fixtureEvents.entries()) set.update(state, event, position);
  state.timers = fixtureTimers();
  noteApplied(state, { partition: 2, position: 7, anonymousId: 'tab-a' }, start + 95_000, true);
  noteApplied(state, { partition: 0, position: 3_000_000_000, anonymousId: 'tab-b' }, start + 95_000, false);
  return { set, state };
}

/** What is left of an anonymous id that became one user, and then another. */
function moved() {
  const set = makeFeatureSet(fixtureConfig);
  const state = set.empty();
  for (const [position, event] of fixtureEvents.entries()) set.update(state, event, position);
  moveTo(set, state, 'ann', { id: 'i-1', time: start, isVouched: false }, 9);
  moveTo(set, state, 'bö b', { id: 'i-2', time: start + 100_000, isVouched: true }, 11);
  state.indexed = start + 7_776_000_000;
  return { set, state };
}

describe('the ids as which a user was seen', () => {
  const set = makeFeatureSet(fixtureConfig);
  const again = (state: ReturnType<typeof set.empty>) => set.decode(Buffer.from(set.encode(state)));

  it('begin with an anonymous id that came before any event of its own', () => {
    expect(seenAs(again(linked().state), 'u:ann')).toEqual(['a:visitor-ü', 'a:tab-a']);
  });

  it('begin with its own where it had a history before', () => {
    const state = set.empty();
    for (const [position, event] of fixtureEvents.entries()) set.update(state, event, position);
    expect(seenAs(again(state), 'u:ann')).toEqual([]);
    noteSighting(state, 'tab-a', start + 95_600);
    expect(seenAs(again(state), 'u:ann')).toEqual(['u:ann', 'a:tab-a']);
    expect(set.inspect(state).links).toEqual([{ anonymousId: 'tab-a', hasArrived: false }]);
    expect(pendingTransfers(state, start + 95_700)).toEqual(['tab-a']);
  });

  it('keep the first of however many', () => {
    const state = set.empty();
    for (let id = 0; id < 20; id++) noteSighting(state, `tab-${id}`, start + id);
    const seen = seenAs(state, 'u:ann');
    expect([seen.length, seen[0], seen.at(-1)]).toEqual([8, 'a:tab-0', 'a:tab-19']);
  });
});

describe('a stored blob with links', () => {
  it.each([
    ['v3.json', 3],
    ['v5.json', 5],
  ])('%s means what it meant', (file, version) => {
    const fixture = fixtureOf(file);
    const { set, state: expected } = linked();
    set.learnLayout(fixture.layoutDescription);
    const state = set.decode(blobOf(fixture));
    expect(blobOf(fixture)[0]).toBe(version);
    expect(set.inspect(state).links).toEqual(fixture.means.links);
    expect(pendingTransfers(state, start + 95_500)).toEqual(['visitor-ü']);
    expect(set.read(state, state.newest)).toEqual(set.read(expected, expected.newest));
    expect([state.position, state.newest, state.session]).toEqual([4, start + 95_500, 'tab-1']);
    // Written by whatever version is the newest, it is the same state.
    expect(set.encode(state)).toEqual(set.encode(expected));
  });
});

describe('a stored tombstone, of version 1', () => {
  const fixture = fixtureOf('tombstone-1.json');

  it('means what it meant', () => {
    const { set } = moved();
    const state = set.decode(blobOf(fixture));
    expect(state.moved).toMatchObject({ to: 'bö b', isVouched: true });
    expect([state.position, state.newest, state.indexed]).toEqual([
      11,
      start + 100_000,
      start + 7_776_000_000,
    ]);
    expect(['i-0', 'i-1', 'i-2'].map((id) => knowsEvent(state, id))).toEqual([false, true, true]);
  });

  it('is written as it was', () => {
    const { set, state } = moved();
    expect(Buffer.from(set.encode(state)).toString('hex')).toBe(fixture.blob.join(''));
  });
});

describe('a damaged tombstone', () => {
  const { set, state } = moved();
  const blob = Buffer.from(set.encode(state));
  const outcomeOf = (bytes: Uint8Array): string => {
    try {
      set.encode(set.decode(bytes));
      return 'read';
    } catch (error) {
      expect(error).toBeInstanceOf(PresageError);
      return (error as PresageError).code;
    }
  };

  it('is refused at every length it may be cut to, and for every single bit that flipped', () => {
    for (let length = 0; length < blob.length; length++)
      expect(outcomeOf(blob.subarray(0, length))).toBe('state_unreadable');
    for (let bit = 0; bit < blob.length * 8; bit++) {
      const flipped = Buffer.from(blob);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(outcomeOf(flipped)).not.toBe('read');
    }
  });

  it('is a state that can be used or refused in a sentence, whatever stands behind a right checksum', () => {
    const change = fc.tuple(fc.nat(blob.length - 7), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const bytes = Buffer.from(blob);
        for (const [at, value] of changes) bytes[2 + at] = value;
        bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
        expect(['read', 'state_unreadable']).toContain(outcomeOf(bytes));
      }),
      { numRuns: 2_000 },
    );
  });
});
