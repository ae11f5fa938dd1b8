import { expect, it } from 'vitest';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { memoryState } from '../../stream/state/index.ts';
import { root, waitFor } from '../../tests/support/program.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { systemClock } from '../clock.ts';
import type { LoadedEngine } from './engine.ts';
import { makeEngines } from './engines.ts';

const workspace = await loadWorkspace(`${root}/tests/workspaces/small`);

it('closes the models of a workspace once nothing asks them any more, and all at the end', async () => {
  const closed: string[] = [];
  const engineOf = (name: string): LoadedEngine => ({
    workspace,
    features: makeFeatureSet(workspace),
    scorers: { get: () => undefined, close: async () => void closed.push(name) },
  });
  const [first, second, third] = ['first', 'second', 'third'].map(engineOf) as [
    LoadedEngine,
    LoadedEngine,
    LoadedEngine,
  ];
  const engines = makeEngines(memoryState({ clock: systemClock }), first, 1);
  await engines.sharing.start();
  engines.pin(1, second);
  engines.settle(second);
  await waitFor('the first to be closed', () => closed.length > 0);
  // State made anew, and other partitions: with the same models.
  engines.pin(2, second);
  engines.settle(second);
  const again = { ...second };
  await engines.replace(again);
  engines.pin(3, third);
  engines.settle(again);
  await waitFor('the third to be closed', () => closed.length > 1);
  expect(closed).toEqual(['first', 'third']);
  await engines.sharing.stop();
  expect(closed).toEqual(['first', 'third', 'second']);
});
