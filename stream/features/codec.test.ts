import { readdirSync, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresageError } from '../../core/index.ts';
import {
  fixtureConfig,
  fixtureEvents,
  fixtureFeatures,
  fixtureIndexed,
  fixtureTimers,
} from '../../tests/support/feature-fixtures.ts';
import { config, event, feature } from '../../tests/support/features.ts';
import { makeFeatureSet, makeTimers, type SubjectState } from './index.ts';

const set = makeFeatureSet(fixtureConfig);

function storyOf(events = fixtureEvents): SubjectState {
  const state = set.empty();
  for (const [position, each] of events.entries()) set.update(state, each, position);
  state.timers = fixtureTimers();
  state.indexed = fixtureIndexed;
  return state;
}

/** The same blob with a checksum that fits, so that what lies behind the checksum is tested. */
function resealed(blob: Uint8Array): Buffer {
  const bytes = Buffer.from(blob);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

/** A decoder's only ways to end: a state that can be used, or a PresageError. Returns which. */
function outcomeOf(blob: Uint8Array): string {
  let state: SubjectState;
  try {
    state = set.decode(blob);
  } catch (error) {
    expect(error).toBeInstanceOf(PresageError);
    return (error as PresageError).code;
  }
  set.read(state, 1_700_000_100_000);
  set.update(state, event(1_700_000_100_000, { properties: { item: 'x', price: 1 } }), 1e9);
  set.decode(set.encode(state));
  return 'read';
}

describe('stored blobs', () => {
  const folder = new URL('./fixtures/', import.meta.url);
  const fixtures = readdirSync(folder).filter((file) => file.endsWith('.json'));

  it('of every version ever written are here', () => {
    expect(fixtures).toEqual(expect.arrayContaining(['v1.json', 'v2.json', 'v4.json']));
  });

  it.each(fixtures)('%s means what it meant', (file) => {
    const fixture = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    const reader = makeFeatureSet(fixtureConfig);
    reader.learnLayout(fixture.layoutDescription);
    const state = reader.decode(Buffer.from(fixture.blob.join(''), 'hex'));
    const { position, newest, session } = state;
    if (fixture.timers !== undefined)
      expect({ timers: state.timers, indexed: state.indexed }).toEqual({
        timers: fixtureTimers(),
        indexed: fixtureIndexed,
      });
    else
      expect({ timers: state.timers, indexed: state.indexed }).toEqual({ timers: null, indexed: Infinity });
    expect({ position, newest, session, values: reader.read(state, newest) }).toEqual(fixture.means);
  });

  it('are written as the newest version was', () => {
    const fixture = JSON.parse(readFileSync(new URL('v4.json', folder), 'utf8'));
    expect(set.layoutDescription).toBe(fixture.layoutDescription);
    expect(Buffer.from(set.encode(storyOf())).toString('hex')).toBe(fixture.blob.join(''));
  });
});

describe('a damaged blob', () => {
  const blob = Buffer.from(set.encode(storyOf()));

  it.each([
    ['empty', Buffer.alloc(0), 'too short'],
    ['of another version', Buffer.concat([Buffer.from([9]), blob.subarray(1)]), 'version 9'],
    ['with a byte more', Buffer.concat([blob, Buffer.from([0])]), 'checksum'],
  ])('that is %s is refused in a sentence', (_, bytes, why) => {
    expect(() => set.decode(bytes)).toThrow(why);
    expect(outcomeOf(bytes)).toBe('state_unreadable');
  });

  it('is refused at every length it may be cut to', () => {
    for (let length = 0; length < blob.length; length++)
      expect(outcomeOf(blob.subarray(0, length))).toBe('state_unreadable');
  });

  it('is refused for every single bit that flipped', () => {
    for (let bit = 0; bit < blob.length * 8; bit++) {
      const flipped = Buffer.from(blob);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(outcomeOf(flipped)).not.toBe('read');
    }
  });

  it('of random bytes is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(outcomeOf(bytes)).toBe('state_unreadable');
      }),
      { numRuns: 2_000 },
    );
  });

  it('whose checksum fits gives a usable state or is refused, and never anything else', () => {
    const change = fc.tuple(fc.nat(blob.length - 10), fc.nat(255));
    const cut = fc.tuple(fc.nat(blob.length), fc.nat(30));
    const counts: Record<string, number> = {};
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.option(cut), (changes, removed) => {
        let bytes = Buffer.from(blob);
        for (const [at, value] of changes) bytes[5 + at] = value;
        if (removed !== null) {
          const [from, length] = removed;
          bytes = Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
        }
        if (bytes.length < 9) return;
        const outcome = outcomeOf(resealed(bytes));
        counts[outcome] = (counts[outcome] ?? 0) + 1;
      }),
      { numRuns: 20_000 },
    );
    expect(counts.state_unreadable).toBeGreaterThan(1_000);
    expect(counts.read).toBeGreaterThan(100);
  });
});

describe('a blob of another layout', () => {
  const [kept, ...others] = fixtureFeatures;
  const added = feature('added', 'count', { bucketMs: 1_000, buckets: 5, hash: 'h-added' });
  const renamed = { ...kept!, name: 'renamed' };
  const later = makeFeatureSet(config([added, others.at(-2)!, others[4]!, renamed]));
  const blob = set.encode(storyOf());

  it('is not guessed at', () => {
    const stranger = makeFeatureSet(config([added]));
    expect(() => stranger.decode(blob)).toThrow(expect.objectContaining({ code: 'layout_unknown' }));
  });

  it('keeps the state of features with the same hash; new ones begin empty, others are left out', () => {
    later.learnLayout(set.layoutDescription);
    const state = later.decode(blob);
    const before = set.read(storyOf(), state.newest);
    expect(later.read(state, state.newest)).toEqual({
      added: 0,
      session_count: before.session_count,
      last: before.last,
      renamed: before.count,
    });
    expect([state.position, state.session]).toEqual([4, 'tab-1']);
    expect(later.read(later.decode(later.encode(state)), state.newest)).toEqual(
      later.read(state, state.newest),
    );
  });

  it('may be one in which each feature over a window had a slot of its own', () => {
    const old = JSON.parse(readFileSync(new URL('./fixtures/v2.json', import.meta.url), 'utf8'));
    later.learnLayout(old.layoutDescription);
    const state = later.decode(Buffer.from(old.blob.join(''), 'hex'));
    expect(later.encode(state)).toEqual(later.encode(later.decode(blob)));
  });

  it('may have other features in the tables of those that are left', () => {
    const [one, two, three] = ['one', 'two', 'three'].map((name) =>
      feature(name, 'count', { bucketMs: 1_000, buckets: 5, hash: name }),
    );
    const slow = feature('slow', 'mean', { bucketMs: 60_000, buckets: 5, property: 'price', hash: 'slow' });
    const clicks = { ...two!, types: new Set(['click']) };
    const before = makeFeatureSet(config([one!, clicks, slow]));
    const after = makeFeatureSet(config([slow, three!, clicks]));
    const state = before.empty();
    for (let i = 0; i < 9; i++)
      before.update(
        state,
        event(1_000 * i, { type: i % 3 === 0 ? 'click' : 'view', properties: { price: i } }),
        i,
      );
    after.learnLayout(before.layoutDescription);
    const read = after.decode(before.encode(state));
    expect(after.read(read, 8_000)).toEqual({ slow: 4, three: 0, two: 1 });
  });

  it('is refused where its blob is of another version than the layout', () => {
    const old = JSON.parse(readFileSync(new URL('./fixtures/v2.json', import.meta.url), 'utf8'));
    const bytes = Buffer.from(blob);
    set.learnLayout(old.layoutDescription);
    bytes.writeUInt32LE(crc32(old.layoutDescription), 1);
    expect(outcomeOf(resealed(bytes))).toBe('state_unreadable');
  });

  it.each(['', '{', '{"v":2,"features":[]}', '{"v":1,"features":[7]}', 'null'])(
    'is not learnt from a description that is none: %s',
    (description) => {
      expect(() => set.learnLayout(description)).toThrow(
        expect.objectContaining({ code: 'layout_unreadable' }),
      );
    },
  );
});

describe('stretches of named sessions', () => {
  it('survive, and a blob without any is as it was before there were any', () => {
    const state = storyOf();
    const before = Buffer.from(set.encode(state));
    if (state.timers === null) throw new Error('The story waits for something.');
    state.timers.stretches = [
      { name: 'tab-1', first: state.newest - 5_000_000, last: state.newest - 4_000_000 },
      { name: 'tab-ü', first: state.newest, last: state.newest },
    ];
    expect(set.decode(set.encode(state)).timers).toEqual(state.timers);
    state.timers.stretches = [];
    expect(Buffer.from(set.encode(state)).equals(before)).toBe(true);
  });

  it('alone, and that the subject is simulated alone, make timers', () => {
    const state = storyOf();
    for (const alone of [{ stretches: [{ name: 'tab-1', first: 1, last: 2 }] }, { isSimulated: true }]) {
      state.timers = { ...makeTimers(), ...alone };
      expect(set.decode(set.encode(state)).timers).toEqual(state.timers);
    }
  });
});

describe('long slots and many ids', () => {
  it('survive, at lengths around where a length takes another byte', () => {
    const wide = makeFeatureSet(
      config([
        feature('n', 'last_n', { property: 'x', n: 1 }),
        feature('c', 'count', { bucketMs: 1, buckets: 9 }),
      ]),
    );
    for (let length = 0; length <= 256; length++) {
      const state = wide.empty();
      wide.update(state, event(1, { id: 'i', properties: { x: 'ü'.repeat(length) } }), 0);
      expect(wide.read(wide.decode(wide.encode(state)), 1)).toEqual({ n: ['ü'.repeat(length)], c: 1 });
    }
  });

  it('survive thousands of events', () => {
    const state = set.empty();
    const sent = Array.from({ length: 5_000 }, (_, i) =>
      event(1_700_000_000_000 + i * 700 - (i % 10 === 0 ? 20_000 : 0), {
        properties: { item: `item-${i % 90}`, price: i / 7 },
      }),
    );
    let copy = set.empty();
    for (const [position, each] of sent.entries()) {
      set.update(state, each, position);
      set.update(copy, each, position);
      if (position % 97 === 0) copy = set.decode(set.encode(copy));
    }
    expect(Buffer.compare(set.encode(copy), set.encode(state))).toBe(0);
    expect(set.read(copy, copy.newest)).toEqual(set.read(state, state.newest));
    for (const each of sent.slice(-900)) expect(set.update(copy, each, copy.position + 1)).toBe(false);
  });
});
