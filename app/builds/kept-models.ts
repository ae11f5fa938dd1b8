import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type CompiledWorkspace, manifestPathOf } from '../../workspace/index.ts';

/** The models of workspaces that are in force or about to be, as they were when those were read. */
export interface KeptModels {
  /** Keeps them. What is kept already stays as it is. */
  keep(workspace: CompiledWorkspace): Promise<void>;
  /** The folder to read models from, in the place of the workspace's; undefined: none are kept. */
  folderOf(hash: string): Promise<string | undefined>;
  /** Removes all but those of these workspaces. */
  forgetOthers(hashes: readonly string[]): Promise<void>;
}

/**
 * One folder a workspace, named after its hash, with the models at the places that they have in the workspace. So what
 * was begun goes on with the same bytes, whatever the workspace's folder has by then.
 */
export function keptModels(folder: string): KeptModels {
  const placeOf = (hash: string): string => join(folder, hash);
  return {
    async keep(workspace) {
      if (workspace.models.size === 0 || (await exists(placeOf(workspace.hash)))) return;
      const unfinished = `${placeOf(workspace.hash)}.unfinished`;
      await rm(unfinished, { recursive: true, force: true });
      for (const { path, quantised } of workspace.models.values()) {
        const files = [path, manifestPathOf(path), ...(quantised === undefined ? [] : [quantised.path])];
        for (const file of files) {
          if (!(await exists(file))) continue;
          const to = join(unfinished, relative(workspace.folder, file));
          await mkdir(dirname(to), { recursive: true, mode: 0o700 });
          await cp(file, to);
        }
      }
      await rename(unfinished, placeOf(workspace.hash));
    },
    folderOf: async (hash) => ((await exists(placeOf(hash))) ? placeOf(hash) : undefined),
    async forgetOthers(hashes) {
      for (const name of await readdir(folder).catch(() => [])) {
        if (!hashes.includes(name)) await rm(join(folder, name), { recursive: true, force: true });
      }
    },
  };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
