import { beforeAll, describe, expect, it } from 'vitest';
import { memoryState } from '../../stream/state/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { root } from '../../tests/support/program.ts';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';
import { noteFeatures, noteWhole } from './whole.ts';

const hour = 3_600_000;
let full: CompiledWorkspace;
let before: CompiledWorkspace;
beforeAll(async () => {
  full = await loadWorkspace(`${root}/tests/workspaces/small`);
  before = { ...full, features: full.features.filter(({ name }) => name !== 'views') };
});

describe('features that begin empty', () => {
  it('are none where nothing was noted before, and none that were there', async () => {
    const store = memoryState({ clock: manualClock(0) });
    expect(await noteFeatures(store, full, 1)).toEqual([]);
    expect(await noteFeatures(store, full, 2)).toEqual([]);
    expect(await noteFeatures(store, before, 3)).toEqual([]);
  });

  it('are told of at each start until state is made anew, or their window has passed', async () => {
    const store = memoryState({ clock: manualClock(0) });
    await noteFeatures(store, before, 0);
    expect(await noteFeatures(store, full, 1_000)).toEqual([{ name: 'views', since: 1_000 }]);
    expect(await noteFeatures(store, full, hour)).toEqual([{ name: 'views', since: 1_000 }]);
    expect(await noteFeatures(store, full, 2 * hour)).toEqual([]);
  });

  it('are whole once a build has made them', async () => {
    const store = memoryState({ clock: manualClock(0) });
    await noteFeatures(store, before, 0);
    await noteFeatures(store, full, 1);
    await noteWhole(store, full);
    expect(await noteFeatures(store, full, 2)).toEqual([]);
  });

  it('begin anew where they were gone for a while', async () => {
    const store = memoryState({ clock: manualClock(0) });
    await noteFeatures(store, full, 0);
    await noteFeatures(store, before, 1);
    expect(await noteFeatures(store, full, 2)).toEqual([{ name: 'views', since: 2 }]);
  });
});
