import { describe, expect, it } from 'vitest';
import type { DecideRequest } from '../schemas/api.ts';
import { manualClock } from '../tests/support/clock.ts';
import { root } from '../tests/support/program.ts';
import { silentLogger } from '../tests/support/silence.ts';
import { type CompiledPlacement, loadWorkspace } from '../workspace/index.ts';
import { makeExplainer } from './explain.ts';
import { makeFeatureSet } from './features/index.ts';
import { makeRequestDecider } from './request.ts';
import { memoryState } from './state/index.ts';

const start = Date.UTC(2026, 0, 1);
const small = await loadWorkspace(`${root}/tests/workspaces/small`);

function rig(change: Partial<CompiledPlacement> = {}) {
  const clock = manualClock(start);
  const store = memoryState({ clock });
  const [name, placement] = [...small.placements][0] ?? [];
  if (name === undefined || placement === undefined) throw new Error('no placement');
  const workspace = { ...small, placements: new Map([[name, { ...placement, ...change }]]) };
  const parts = {
    workspace,
    features: makeFeatureSet(workspace),
    scorers: { get: () => undefined, close: async () => {} },
    clock,
    partitions: 1,
    store,
    logger: silentLogger(),
  };
  return { store, explain: makeExplainer(parts), decide: makeRequestDecider(parts) };
}

const request = (changes: Partial<DecideRequest> = {}): DecideRequest => ({
  tenant: 'acme',
  subject: 'u:ann',
  session: 's1',
  placements: ['banner'],
  context: {},
  requestId: 'r1',
  receivedAt: start,
  simulated: false,
  ...changes,
});

const untimed = ({
  timings: _,
  recorded: __,
  ...record
}: Awaited<ReturnType<ReturnType<typeof rig>['decide']>>[number]) => record;

describe('an explanation', () => {
  it('is what would be decided, candidate by candidate, and records nothing and takes nothing', async () => {
    const { store, explain, decide } = rig();
    const [explained] = await explain(request());
    expect(explained).toMatchObject({ action: 'second', recorded: false });
    expect(await store.outboxRange(0)).toEqual({ start: 0, end: 0 });
    const [decided] = await decide(request());
    expect(untimed(decided!)).toEqual(untimed(explained!));
    expect((await store.outboxRange(0)).end).toBe(1);
  });

  it('sees how full caps are', async () => {
    const { explain, decide } = rig();
    for (const id of ['r1', 'r2']) await decide(request({ requestId: id }));
    const [explained] = await explain(request({ requestId: 'r3' }));
    const [decided] = await decide(request({ requestId: 'r3' }));
    expect(untimed(explained!)).toEqual(untimed(decided!));
    expect(explained?.candidates.map(({ verdict }) => verdict.stage)).toContain('constraints');
  });

  it('fills slots as the commit does', async () => {
    const { explain, decide } = rig({
      slots: 3,
      exploration: { kind: 'softmax', temperature: 2, floor: true },
    });
    for (let id = 0; id < 6; id++) {
      const asked = request({ requestId: `r${id}` });
      const [explained] = await explain(asked);
      const [decided] = await decide(asked);
      // Caps that are full only for want of what an earlier slot took are told by the commit alone.
      expect(explained?.slots).toEqual(decided?.slots);
    }
  });

  it('refuses a placement that is not there', async () => {
    await expect(rig().explain(request({ placements: ['nowhere'] }))).rejects.toMatchObject({
      code: 'unknown_placement',
    });
  });
});
