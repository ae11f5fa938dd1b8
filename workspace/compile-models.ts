import type { Compiling } from './compile-context.ts';
import type { CompiledModel } from './compiled.ts';
import type { CelType } from './expression-names.ts';
import { type ModelInput, modelInput } from './model-inputs.ts';
import { type Path, quote } from './problems.ts';
import { nearest } from './suggest.ts';

/** A model's file as it was found. */
export interface ModelFile {
  readonly path: string;
  readonly sha256: string;
}

/** Models whose files are there, by id. */
export function compileModels(
  compiling: Compiling,
  files: ReadonlyMap<string, ModelFile>,
  features: ReadonlyMap<string, CelType>,
): ReadonlyMap<string, CompiledModel> {
  const models = new Map<string, CompiledModel>();
  for (const [id, model] of Object.entries(compiling.source.models)) {
    const path = ['models', id];
    checkInputs(compiling, model.inputs, [...path, 'inputs'], features);
    for (const name of Object.keys(model.defaults)) {
      if (model.inputs.includes(name)) continue;
      compiling.report(
        [...path, 'defaults', name],
        `expected one of the model's inputs but found ${quote(name)}`,
        {
          suggestion: nearest(name, model.inputs),
          at: 'key',
        },
      );
    }
    const file = files.get(id);
    if (file === undefined) continue;
    const { version, inputs, missing, defaults, block } = model;
    models.set(id, { id, version, ...file, inputs, missing, defaults, block });
  }
  return models;
}

function checkInputs(
  compiling: Compiling,
  inputs: readonly string[],
  path: Path,
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
    const place = [...path, index];
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
