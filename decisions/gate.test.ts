import { describe, expect, it } from 'vitest';
import { contentId } from '../core/index.ts';
import type { RightCalibration } from '../schemas/index.ts';
import type { CompiledGate } from '../workspace/index.ts';
import { judge } from './gate.ts';

const model = { id: 'accept', version: '3', sha256: 'a'.repeat(64) };
const calibration: RightCalibration = {
  calibration: 1,
  target: 'right',
  action: 'refund',
  model: model.sha256,
  labels: 200,
  from: 0,
  to: 1,
  x: [0.2, 0.4, 0.6],
  y: [0.5, 0.85, 0.95],
};
const gateOf = (changes: Partial<CompiledGate> = {}): CompiledGate => ({
  target: 'right',
  threshold: 0.85,
  isReversible: false,
  sample: 0.02,
  escalateMs: 60_000,
  withinMs: 600_000,
  calibration,
  ...changes,
});
const judged = (
  acceptProbability: number | null,
  gate: CompiledGate | null = gateOf(),
  changes: { id?: string; model?: typeof model | null } = {},
) => judge({ name: 'refund', gate }, { id: 'd1', time: 1_000, acceptProbability, model, ...changes });

describe('the gate', () => {
  it('asks nothing of an action that has none', () => {
    expect(judged(0.1, null)).toBeNull();
  });

  it('lets pass what we are sure enough of, by the calibrated probability and never by that of acceptance', () => {
    expect(judged(0.4)?.verdict).toBeNull();
    expect(judged(0.5)?.review.confidence).toBeCloseTo(0.9, 12);
    expect(judged(0.99)?.review.confidence).toBe(0.95);
    expect(judged(0.1)?.review.confidence).toBe(0.5);
    expect(judged(0.39)).toMatchObject({
      verdict: { stage: 'gate', rule: 'not confident: right needs 0.85', saw: { labels: 200 } },
      review: { reason: 'gate', probability: 1, escalatesAt: 61_000, expiresAt: 601_000 },
    });
    // Surely accepted, and surely wrong.
    const wrong = gateOf({ calibration: { ...calibration, x: [0.1, 0.9], y: [0.05, 0.06] } });
    expect(judged(1, wrong)?.review).toMatchObject({ reason: 'gate', confidence: 0.06 });
  });

  it('is not confident without calibration, on fewer than 200 labels, or for scores of another model', () => {
    const shut = { reason: 'gate', probability: 1, confidence: null };
    expect(judged(0.99, gateOf({ calibration: null }))?.review).toMatchObject(shut);
    expect(judged(0.99, gateOf({ calibration: { ...calibration, labels: 199 } }))?.review).toMatchObject(
      shut,
    );
    expect(judged(0.99, gateOf(), { model: { ...model, sha256: 'b'.repeat(64) } })?.review).toMatchObject(
      shut,
    );
    // A lower rung: rules have no model.
    expect(judged(0.99, gateOf(), { model: null })?.review).toMatchObject(shut);
    expect(judged(null)?.review).toMatchObject(shut);
  });

  it('draws of what passes and is reversible the stated share, by the id, and says with which probability', () => {
    const count = 20_000;
    const reversible = gateOf({ isReversible: true });
    let drawn = 0;
    for (let index = 0; index < count; index++) {
      const id = contentId('decision', String(index));
      const result = judged(0.9, reversible, { id });
      expect(result?.verdict).toBeNull();
      expect(result?.review.probability).toBe(0.02);
      expect(result).toEqual(judged(0.9, reversible, { id }));
      if (result?.review.reason === 'sample') drawn += 1;
    }
    const error = Math.sqrt(0.02 * 0.98 * count);
    expect(Math.abs(drawn - 0.02 * count)).toBeLessThan(4 * error);
    expect(judged(0.9)?.review).toMatchObject({ reason: null, probability: 0 });
  });
});
