import { basename, dirname, join } from 'node:path';
import type { ManifestInput, ModelManifest, WorkspaceSource } from '../schemas/index.ts';
import { canonicalJson, contentHash } from './canonical.ts';
import type { Compiling } from './compile-context.ts';
import type { CompiledFeature, CompiledModel } from './compiled.ts';
import type { CelType } from './expression-names.ts';
import { inputsHash, type ModelFile, manifestPathOf } from './manifest.ts';
import { modelInput } from './model-inputs.ts';
import { quote } from './problems.ts';

interface Checked {
  readonly compiling: Compiling;
  readonly id: string;
  readonly stated: WorkspaceSource['models'][string];
  readonly file: ModelFile;
  readonly manifest: ModelManifest;
  readonly types: ReadonlyMap<string, CelType>;
  readonly features: readonly CompiledFeature[];
}

/** Holds a manifest against the file, the workspace's own words and its features. Reports what does not fit. */
export function checkManifest(checked: Checked): void {
  const { compiling, id, stated, file, manifest } = checked;
  const name = quote(basename(manifestPathOf(file.path)));
  const report = (field: string, message: string): void =>
    compiling.report(['models', id, field], `${name} ${message}`);
  if (manifest.id !== id) report('file', `is of a model ${quote(manifest.id)}, not of ${quote(id)}`);
  if (manifest.file !== basename(file.path))
    report('file', `describes ${quote(manifest.file)}, not ${quote(basename(file.path))}`);
  if (manifest.sha256 !== file.sha256)
    report(
      'file',
      `describes a file with SHA-256 ${short(manifest.sha256)} but this one has ${short(file.sha256)}: bring both from the same training`,
    );
  if (manifest.inputsHash !== inputsHash(manifest.inputs))
    report('file', 'has inputs that are not those of its inputsHash: it was changed by hand');
  for (const field of ['version', 'missing', 'defaults', 'block'] as const) {
    if (stated[field] === undefined || canonicalJson(stated[field]) === canonicalJson(manifest[field]))
      continue;
    report(field, `says ${canonicalJson(manifest[field])}; leave ${field} out here, or say the same`);
  }
  const inputs = manifest.inputs.map((input) => input.name);
  if (stated.inputs !== undefined && canonicalJson(stated.inputs) !== canonicalJson(inputs))
    report('inputs', 'has other inputs, or another order; leave them out here, or say the same');
  for (const input of manifest.inputs) {
    const problem = misfit(input, checked);
    if (problem !== null) report('file', problem);
  }
  if (manifest.quantised?.rows.some((row) => row.length !== inputs.length))
    report('file', `has rows of another length than its ${inputs.length} inputs under quantised`);
}

/** Why an input is not what the workspace gives under that name; a name that is not there is told of elsewhere. */
function misfit(
  { name, type, definition }: ManifestInput,
  { types, features }: Pick<Checked, 'types' | 'features'>,
): string | null {
  const input = modelInput(name);
  const given = input.from === 'feature' ? types.get(input.feature) : undefined;
  const isBoolean = input.from === 'action' || given === 'bool';
  if (
    given !== 'dyn' &&
    (input.from !== 'feature' || given !== undefined) &&
    isBoolean !== (type === 'boolean')
  )
    return `has ${quote(name)} as a ${type}, but here it is a ${isBoolean ? 'boolean' : 'number'}`;
  if (definition === undefined || input.from === 'attribute' || input.from === 'action') return null;
  const feature = features.find((one) => one.name === input.feature);
  if (feature === undefined || feature.hash === definition) return null;
  return `was trained with another definition of ${quote(input.feature)} (${short(definition)}, here ${short(feature.hash)}): train it again, or change the feature back`;
}

/** What only a manifest says of a model. */
export function ofManifest(
  manifest: ModelManifest,
  modelPath: string,
): Pick<CompiledModel, 'manifest' | 'calibration' | 'quantised'> {
  const { calibration, quantised } = manifest;
  return {
    manifest: contentHash('model manifest', manifest),
    ...(calibration === null ? {} : { calibration }),
    ...(quantised === undefined
      ? {}
      : { quantised: { ...quantised, path: join(dirname(modelPath), quantised.file) } }),
  };
}

const short = (hash: string): string => hash.slice(0, 12);
