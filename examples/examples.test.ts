import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { featureDefinition } from '../schemas/index.ts';
import { loadScorer } from '../scorers/onnx.ts';
import { loadWorkspace, undeclaredTypes } from '../workspace/index.ts';

const folder = dirname(fileURLToPath(import.meta.url));
const kinds = featureDefinition.options.map((option) => option.shape.kind.value);

describe.each(['shop', 'travel'])('the example %s', (example) => {
  const load = () => loadWorkspace(join(folder, example));

  it('loads, and declares every event type that it mentions', async () => {
    expect(undeclaredTypes((await load()).source)).toEqual([]);
  });

  it('shows every kind of feature, a keyed one and a filtered one', async () => {
    const { features } = await load();
    expect([...new Set(features.map((feature) => feature.kind))].sort()).toEqual([...kinds].sort());
    expect(features.some((feature) => feature.by !== null)).toBe(true);
    expect(features.some((feature) => feature.where !== null)).toBe(true);
  });

  it('has content to show for every action, and one action on trial', async () => {
    const { placements } = await load();
    const actions = new Set([...placements.values()].flatMap((placement) => placement.actions));
    for (const { name, content, caps } of actions) {
      expect(content, name).toMatchObject({
        title: expect.any(String),
        body: expect.any(String),
        cta: expect.any(String),
      });
      expect(
        caps.some((cap) => cap.per === 'session'),
        name,
      ).toBe(true);
    }
    expect([...actions].filter((action) => action.mode === 'observe')).toHaveLength(1);
  });

  it('ships the model that its manifest describes', async () => {
    const { models } = await load();
    for (const model of models.values()) {
      const bytes = readFileSync(model.path);
      const manifest = JSON.parse(readFileSync(model.path.replace('.onnx', '.json'), 'utf8'));
      expect(manifest).toMatchObject({ id: model.id, version: model.version, inputs: model.inputs });
      expect(manifest.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(bytes.length).toBeLessThan(16_384);
      // It knows more than the mean acceptance of each action, on visitors it was not trained on.
      expect(manifest.metrics.logLoss).toBeLessThan(manifest.metrics.logLossOfRates);
      expect(manifest.metrics.auc).toBeGreaterThan(0.7);
      await (await loadScorer(model)).close();
    }
  });
});
