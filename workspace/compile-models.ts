import type { Compiling } from './compile-context.ts';
import type { CompiledModel } from './compiled.ts';
import type { CelType } from './expression-names.ts';
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
  // An action that could not be read may declare any attribute.
  const areAttributesKnown = [...names.actions].every((name) => Object.hasOwn(source.actions, name));
  inputs.forEach((input, index) => {
    const place = [...path, index];
    if (inputs.indexOf(input) !== index)
      report(place, `expected each input once but found ${quote(input)} again`);
    if (input.startsWith('action.') && !areAttributesKnown) return;
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
