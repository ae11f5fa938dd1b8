import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { throughBytes } from '../../../tests/support/bytes.ts';
import type { Writer } from './bytes.ts';
import { hashed, hashText } from './hash.ts';
import { forgetBefore, makeRemembered, readRemembered, remember, writeRemembered } from './remembered.ts';

describe('remembered event ids', () => {
  const limit = 100;
  const step = fc.tuple(fc.nat(400), fc.nat(50_000));

  it('are the newest by event time, whatever happens: as a plain sorted list would say', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), fc.nat(20_000), (steps, windowMs) => {
        const ids = makeRemembered();
        let model: { id: string; time: number; hash: readonly [number, number] }[] = [];
        let newest = 0;
        for (const [number, time] of steps) {
          const id = `id-${number}`;
          hashText(id);
          expect(remember(ids, time, limit)).toBe(!model.some((known) => known.id === id));
          if (!model.some((known) => known.id === id)) {
            hashText(id);
            model.push({ id, time, hash: [hashed.high, hashed.low] });
            model.sort((a, b) => a.time - b.time || a.hash[0] - b.hash[0] || a.hash[1] - b.hash[1]);
            model = model.slice(-limit);
          }
          newest = Math.max(newest, time);
          forgetBefore(ids, newest - windowMs);
          model = model.filter((known) => known.time >= newest - windowMs);
          expect(ids.end - ids.start).toBe(model.length);
        }
        const write = (w: Writer): void => writeRemembered(w, ids, newest);
        const read = throughBytes(write, (r) => readRemembered(r, newest, limit));
        for (const { id } of model) {
          hashText(id);
          expect(remember(read, newest, limit)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});
