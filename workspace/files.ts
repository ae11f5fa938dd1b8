import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { messageOf } from '../core/index.ts';
import type { RightCalibration, WorkspaceSource } from '../schemas/index.ts';
import type { Files } from './compile.ts';
import { type ModelFile, readManifest } from './manifest.ts';
import { type Path, quote, type Report } from './problems.ts';
import { readRightCalibration } from './right-file.ts';

/** A model is held in memory whole, and in the runtime once more. */
export const mostModelBytes = 256 * 1024 * 1024;

/** Looks at every file that a workspace names: each has to lie in its folder; models are hashed. */
export async function findFiles(
  source: WorkspaceSource,
  folder: string,
  report: Report,
  modelFolder = folder,
): Promise<Files> {
  const models = new Map<string, ModelFile>();
  const find = (name: string, kind: 'file' | 'folder', path: Path, within = folder) =>
    locate(within, name, kind, path, report);
  for (const [id, model] of Object.entries(source.models)) {
    const path = ['models', id, 'file'];
    const file = await find(model.file, 'file', path, modelFolder);
    if (file === null) continue;
    try {
      const { size } = await stat(file);
      if (size > mostModelBytes) {
        report(
          path,
          `expected a model of at most ${mostModelBytes} bytes but ${quote(model.file)} has ${size}`,
        );
        continue;
      }
      const manifest = await readManifest(file, path, report);
      if (manifest !== null) models.set(id, { path: file, sha256: await sha256Of(file), ...manifest });
    } catch (error) {
      report(path, `${quote(model.file)} can't be read (${messageOf(error)})`);
    }
  }
  const calibrations = new Map<string, RightCalibration>();
  for (const [action, { gate }] of Object.entries(source.actions)) {
    if (gate?.calibration === undefined) continue;
    const path = ['actions', action, 'gate', 'calibration'];
    const file = await find(gate.calibration, 'file', path);
    const read = file && (await readRightCalibration(file, action, gate.calibration, path, report));
    if (read) calibrations.set(action, read);
  }
  if (source.feed.map !== undefined) await find(source.feed.map, 'file', ['feed', 'map']);
  if (source.simulate !== undefined) await find(source.simulate.module, 'file', ['simulate', 'module']);
  if (source.demo !== undefined) await find(source.demo.site, 'folder', ['demo', 'site']);
  return { folder, models, calibrations };
}

async function locate(
  folder: string,
  name: string,
  kind: 'file' | 'folder',
  path: Path,
  report: Report,
): Promise<string | null> {
  const place = resolve(folder, name);
  const within = relative(folder, place);
  if (isAbsolute(name) || within === '..' || within.startsWith(`..${sep}`) || isAbsolute(within)) {
    report(path, `expected a ${kind} within the workspace's folder but found ${quote(name)}`);
    return null;
  }
  const found = await stat(place).catch(() => null);
  const isRight = kind === 'file' ? found?.isFile() : found?.isDirectory();
  if (isRight === true) return place;
  const problem = found === null ? 'there is nothing there' : 'it is something else';
  report(path, `expected a ${kind} at ${quote(name)} but ${problem}`);
  return null;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
