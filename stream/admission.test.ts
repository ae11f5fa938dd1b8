import { describe, expect, it } from 'vitest';
import { makeAdmission } from './admission.ts';

describe('admission', () => {
  it('leaves models out above one number, and turns away above another, until there is room again', () => {
    const admission = makeAdmission({ lowerAt: 2, most: 3 });
    const admitted = [1, 2, 3].map(() => admission.enter());
    expect(admitted.map(({ isOverloaded }) => isOverloaded)).toEqual([false, false, true]);
    expect(() => admission.enter()).toThrow(
      expect.objectContaining({ code: 'too_many_requests', retriable: true }),
    );
    for (const { leave } of admitted) leave();
    expect(admission.enter().isOverloaded).toBe(false);
  });
});
