import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ManifestInput, type ModelManifest, manifestSuffix, modelManifest } from '../schemas/index.ts';
import { contentHash } from './canonical.ts';
import { type Path, quote, type Report } from './problems.ts';

/** A model's file as it was found, with the manifest beside it where there is one. */
export interface ModelFile {
  readonly path: string;
  readonly sha256: string;
  readonly manifest?: ModelManifest;
}

const mostBytes = 4 * 1024 * 1024;

/** Where the manifest of a model stands: `ranker.onnx` has `ranker.manifest.json`. */
export const manifestPathOf = (modelPath: string): string =>
  join(dirname(modelPath), basename(modelPath).replace(/\.onnx$/, '') + manifestSuffix);

/** Hash of what a model reads, in the order of its columns: the manifest's `inputsHash`. */
export const inputsHash = (inputs: readonly ManifestInput[]): string =>
  contentHash(
    'model inputs',
    inputs.map(({ name, type, definition = null }) => [name, type, definition]),
  );

/** The manifest beside a model; nothing where there is none. null: what is there cannot be used, and was reported. */
export async function readManifest(
  modelPath: string,
  path: Path,
  report: Report,
): Promise<{ readonly manifest?: ModelManifest } | null> {
  const file = manifestPathOf(modelPath);
  const name = quote(basename(file));
  const found = await stat(file).catch(() => null);
  if (found === null) return {};
  if (!found.isFile() || found.size > mostBytes) {
    report(path, `expected a manifest of at most ${mostBytes} bytes at ${name}`);
    return null;
  }
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    report(path, `expected a manifest in JSON but ${name} cannot be read as such`);
    return null;
  }
  const parsed = modelManifest.safeParse(value);
  if (parsed.success) return { manifest: parsed.data };
  for (const { path: at, message } of parsed.error.issues.slice(0, 10))
    report(path, `${name} is no manifest of a model: ${at.join('.') || 'it'}: ${message}`);
  return null;
}
