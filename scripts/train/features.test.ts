import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { featureAt } from './features.mjs';
import { randomFrom } from './random.mjs';
import { shoppers } from './shoppers.mjs';
import { travellers } from './travellers.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

interface Shown {
  readonly events: readonly {
    type: string;
    time: number;
    session: string;
    properties: Record<string, unknown>;
  }[];
  readonly at: number;
  readonly session: string;
}

describe.each([
  ['shop', shoppers],
  ['travel', travellers],
] as const)('the model of %s', (example, visits) => {
  it('is trained on the very features that the engine computes', async () => {
    const folder = join(root, 'examples', example);
    const source = parse(readFileSync(join(folder, 'presage.yaml'), 'utf8'));
    const features = makeFeatureSet(await loadWorkspace(folder));
    const inputs: string[] = source.models.accept.inputs.filter((input: string) => input in source.features);
    expect(inputs.length).toBeGreaterThan(8);
    let compared = 0;
    for (const visit of visits(randomFrom(3), source) as Iterable<readonly Shown[]>) {
      for (const { events, at, session } of visit) {
        const state = features.empty();
        events.forEach((event, position) => {
          features.update(state, { ...event, id: `e${position}` }, position);
        });
        const values = features.read(state, at);
        for (const input of inputs) {
          expect(featureAt(source.features[input], events, at, session), input).toEqual(values[input]);
        }
        compared++;
      }
      if (compared >= 500) break;
    }
  });
});
