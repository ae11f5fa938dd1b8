import { resolve } from 'node:path';
import type { Command } from 'commander';
import { PresageError } from '../../core/index.ts';
import type { Environment } from '../environment.ts';
import { type InstanceClient, requireInstance } from '../instance/client.ts';
import { findInstance } from '../instance/registry.ts';

export const defaultPort = 7420;

/** What every command has at hand. */
export interface Context {
  readonly environment: Environment;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** To standard output as they are. */
  readonly bytes: (bytes: Uint8Array) => void;
  setExitCode(code: number): void;
}

export interface SharedOptions {
  readonly workspace?: string;
  readonly port: number;
  readonly json?: boolean;
}

/** --workspace, --port and --json, the same on every command. */
export function withShared(command: Command): Command {
  return command
    .option('-w, --workspace <dir>', 'folder with presage.yaml')
    .option('-p, --port <n>', 'port of the instance', parsePort, defaultPort)
    .option('--json', 'print JSON for programs');
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new PresageError('usage', `--port: expected a number from 0 to 65535, got "${text}".`);
  }
  return port;
}

export const folderOf = (workspace: string | undefined): string => resolve(workspace ?? '.');

/** The folder that --workspace names; without it that of the running instance, else the one we are in. */
export async function workspaceFolder(context: Context, options: SharedOptions): Promise<string> {
  if (options.workspace !== undefined) return folderOf(options.workspace);
  return (
    (await findInstance(context.environment.stateFolder, options.port))?.workspace ?? folderOf(undefined)
  );
}

/** The running instance that the options name; a --workspace that it does not run is an error. */
export function instanceOf(context: Context, options: SharedOptions): Promise<InstanceClient> {
  return requireInstance(
    context.environment.stateFolder,
    options.port,
    options.workspace === undefined ? null : folderOf(options.workspace),
  );
}
