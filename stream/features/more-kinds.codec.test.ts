import { readdirSync, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresageError } from '../../core/index.ts';
import { moreKindsConfig, moreKindsEvents } from '../../tests/support/more-kinds-fixtures.ts';
import { makeFeatureSet } from './index.ts';

const set = makeFeatureSet(moreKindsConfig);
const folder = new URL('./fixtures/more-kinds/', import.meta.url);

function storyOf() {
  const state = set.empty();
  for (const [position, each] of moreKindsEvents.entries()) set.update(state, each, position);
  return state;
}

describe('stored blobs of decay, approx_distinct, top_k and sequence', () => {
  it.each(readdirSync(folder))('%s means what it meant', (file) => {
    const fixture = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    const reader = makeFeatureSet(moreKindsConfig);
    reader.learnLayout(fixture.layoutDescription);
    const state = reader.decode(Buffer.from(fixture.blob.join(''), 'hex'));
    expect(reader.read(state, state.newest)).toEqual(fixture.means);
    expect(reader.read(state, state.newest)).toEqual(set.read(storyOf(), state.newest));
  });

  it('survive a change of bytes only as a state that can be used', () => {
    const blob = Buffer.from(set.encode(storyOf()));
    const change = fc.tuple(fc.nat(blob.length - 10), fc.nat(255));
    let read = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const bytes = Buffer.from(blob);
        for (const [at, value] of changes) bytes[5 + at] = value;
        bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
        try {
          const state = set.decode(bytes);
          set.read(state, 1_700_000_100_000);
          set.decode(set.encode(state));
          read++;
        } catch (error) {
          expect(error).toBeInstanceOf(PresageError);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(read).toBeGreaterThan(50);
  });
});
