import { PresageError } from '../../core/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { checkWorkspace, clientOf, type InstanceClient } from '../instance/client.ts';
import { findInstance, type InstanceFile } from '../instance/registry.ts';
import { dataFolderPath, type StartedInstance, startInstance } from '../start/index.ts';
import { type Context, folderOf } from './context.ts';
import type { FeedOptions } from './feed-options.ts';

/** The running instance; throws `instance_missing` (retriable) where there is none. */
export async function connect(options: FeedOptions, context: Context): Promise<InstanceClient> {
  const instance = await findInstance(context.environment.stateFolder, options.port);
  if (instance === null)
    throw new PresageError('instance_missing', `No Presage is running on port ${options.port}.`, {
      retriable: true,
    });
  checkWorkspace(
    instance,
    options.port,
    options.workspace === undefined ? null : folderOf(options.workspace),
  );
  return clientOf(instance);
}

/** The running one or null; throws `workspace_mismatch` when it runs another workspace than the one named. */
export async function runningInstance(options: FeedOptions, context: Context): Promise<InstanceFile | null> {
  const instance = await findInstance(context.environment.stateFolder, options.port);
  if (instance === null) return null;
  checkWorkspace(
    instance,
    options.port,
    options.workspace === undefined ? null : folderOf(options.workspace),
  );
  return instance;
}

/** The running instance's data folder, or the one that an instance started here will have. */
export async function dataFolderOf(running: InstanceFile | null, options: FeedOptions): Promise<string> {
  if (running !== null) return running.data;
  const workspace = folderOf(options.workspace);
  // A folder that isn't a workspace shall not get data of ours.
  await loadWorkspace(workspace);
  return dataFolderPath(workspace, options.data ?? null);
}

/** For as long as the feed lasts. */
export function startOwn(options: FeedOptions, context: Context): Promise<StartedInstance> {
  const workspace = folderOf(options.workspace);
  context.err(
    `No Presage is running on port ${options.port}: starting one for ${workspace} while the feed lasts.`,
  );
  return startInstance({
    workspace,
    data: options.data ?? null,
    port: options.port,
    environment: context.environment,
    yes: false,
    simulate: false,
    say: context.err,
  });
}
