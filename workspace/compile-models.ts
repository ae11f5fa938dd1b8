import { checkManifest, ofManifest } from './check-manifest.ts';
import type { Compiling } from './compile-context.ts';
import type { CompiledFeature, CompiledModel } from './compiled.ts';
import type { CelType } from './expression-names.ts';
import type { ModelFile } from './manifest.ts';
import { type ModelInput, modelInput } from './model-inputs.ts';
import { type Path, quote } from './problems.ts';
import { nearest } from './suggest.ts';

/** Models whose files are there and fit, by id. */
export function compileModels(
  compiling: Compiling,
  files: ReadonlyMap<string, ModelFile>,
  types: ReadonlyMap<string, CelType>,
  features: readonly CompiledFeature[],
): ReadonlyMap<string, CompiledModel> {
  const models = new Map<string, CompiledModel>();
  for (const [id, stated] of Object.entries(compiling.source.models)) {
    const path = ['models', id];
    const file = files.get(id);
    const manifest = file?.manifest;
    if (file !== undefined && manifest !== undefined)
      checkManifest({ compiling, id, stated, file, manifest, types, features });
    const inputs = stated.inputs ?? manifest?.inputs.map(({ name }) => name);
    if (inputs === undefined) {
      if (file !== undefined)
        compiling.report(path, 'expected inputs, or a manifest beside the file that names them', {
          at: 'key',
        });
      continue;
    }
    const defaults = stated.defaults ?? manifest?.defaults ?? {};
    const place = stated.inputs === undefined ? null : [...path, 'inputs'];
    checkInputs(
      compiling,
      inputs,
      (index) => (place === null ? [...path, 'file'] : [...place, index]),
      types,
    );
    for (const name of Object.keys(defaults)) {
      if (inputs.includes(name)) continue;
      compiling.report(
        stated.defaults === undefined ? [...path, 'file'] : [...path, 'defaults', name],
        `expected one of the model's inputs but found ${quote(name)}`,
        { suggestion: nearest(name, inputs), at: 'key' },
      );
    }
    if (file === undefined) continue;
    models.set(id, {
      id,
      version: stated.version ?? manifest?.version ?? '1',
      path: file.path,
      sha256: file.sha256,
      inputs,
      missing: stated.missing ?? manifest?.missing ?? 0,
      defaults,
      block: stated.block ?? manifest?.block ?? 32,
      ...(manifest === undefined ? {} : ofManifest(manifest, file.path)),
    });
  }
  return models;
}

function checkInputs(
  compiling: Compiling,
  inputs: readonly string[],
  placeOf: (index: number) => Path,
  features: ReadonlyMap<string, CelType>,
): void {
  const { source, names, report } = compiling;
  const attributes = new Set(
    Object.values(source.actions).flatMap((action) => Object.keys(action.attributes)),
  );
  const possible = [
    ...features.keys(),
    ...[...attributes].map((name) => `action.${name}`),
    ...[...names.actions].map((name) => `is.${name}`),
  ];
  const texts = new Set(
    Object.values(source.actions).flatMap((action) =>
      Object.entries(action.attributes).flatMap(([name, value]) => (typeof value === 'string' ? [name] : [])),
    ),
  );
  // An action that could not be read may declare any attribute.
  const areAttributesKnown = [...names.actions].every((name) => Object.hasOwn(source.actions, name));
  inputs.forEach((input, index) => {
    const place = placeOf(index);
    if (inputs.indexOf(input) !== index)
      report(place, `expected each input once but found ${quote(input)} again`);
    if (input.startsWith('action.') && !areAttributesKnown) return;
    const parsed = modelInput(input);
    if (parsed.from === 'attribute' && texts.has(parsed.attribute)) {
      report(place, `expected an attribute that is a number but ${quote(input)} is text`);
      return;
    }
    if (parsed.from === 'key') {
      checkKeyed(compiling, parsed, place, { features, attributes, areAttributesKnown });
      return;
    }
    const type = features.get(input);
    if (type !== undefined && type !== 'double' && type !== 'bool' && type !== 'dyn') {
      const kind = type === 'string' ? 'text' : type === 'list<string>' ? 'a list' : 'a map of values by key';
      report(place, `expected a feature that is a number but ${quote(input)} is ${kind}`);
    } else if (!possible.includes(input)) {
      report(place, `expected a feature, action.<attribute> or is.<action> but found ${quote(input)}`, {
        suggestion: nearest(input, possible),
      });
    }
  });
}

/** `views_by_item[action.item]`: a feature by a property, and an attribute that some action has. */
function checkKeyed(
  { report }: Compiling,
  { feature, attribute }: Extract<ModelInput, { from: 'key' }>,
  place: Path,
  known: {
    readonly features: ReadonlyMap<string, CelType>;
    readonly attributes: ReadonlySet<string>;
    readonly areAttributesKnown: boolean;
  },
): void {
  const type = known.features.get(feature);
  if (type !== 'map<string, double>' && type !== 'dyn') {
    const keyed = [...known.features].flatMap(([name, one]) => (one === 'map<string, double>' ? [name] : []));
    report(place, `expected a feature with "by" before the bracket but found ${quote(feature)}`, {
      suggestion: nearest(feature, keyed),
    });
  } else if (known.areAttributesKnown && !known.attributes.has(attribute)) {
    report(place, `expected an attribute that some action has but found ${quote(attribute)}`, {
      suggestion: nearest(attribute, known.attributes),
    });
  }
}
