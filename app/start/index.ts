import { hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Health, messageOf, PresageError, type Role } from '../../core/index.ts';
import type { Gateway } from '../../gateway/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import type { Environment } from '../environment.ts';
import { registerInstance, unregisterInstance } from '../instance/registry.ts';
import { makeLogger } from '../logger.ts';
import { packageFolder, version } from '../version.ts';
import { openDataFolder } from './data-folder.ts';
import { ensurePortIsFree } from './port.ts';
import { openResources } from './resources.ts';
import { wireRoles } from './roles.ts';

export interface StartSettings {
  /** Absolute folder of the workspace. */
  readonly workspace: string;
  /** Folder of all data; null = `.presage` in the workspace. */
  readonly data: string | null;
  /** 0 = any free port. */
  readonly port: number;
  readonly environment: Environment;
  /** Install Redis without asking. */
  readonly yes: boolean;
  /** Play the workspace's simulated visitors, where it declares some. */
  readonly simulate: boolean;
  readonly say: (line: string) => void;
  readonly ask?: (question: string) => Promise<boolean>;
}

export interface StartedInstance {
  readonly address: string;
  readonly signInLink: string;
  /** Address of the demo page, where the workspace has one. */
  readonly demo: string | null;
  readonly workspace: string;
  readonly workspaceName: string;
  readonly data: string;
  readonly simulating: boolean;
  resetDemo(): Promise<{ subjects: number; rows: number }>;
  stop(): Promise<void>;
}

const host = '127.0.0.1';

/** Where an instance keeps its data. */
export const dataFolderPath = (workspace: string, data: string | null): string =>
  resolve(data ?? join(workspace, '.presage'));

/**
 * Starts all roles in this process on one data folder. Everything that can be wrong before data is touched is checked
 * first; what was opened is closed again when a later step fails. Throws PresageError with one clear sentence.
 */
export async function startInstance(settings: StartSettings): Promise<StartedInstance> {
  const { environment } = settings;
  const logger = makeLogger(environment.logLevel);
  const workspace = await loadWorkspace(settings.workspace);
  await ensurePortIsFree(host, settings.port);
  const folder = await openDataFolder(dataFolderPath(settings.workspace, settings.data));

  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) {
      // What cannot be closed must not keep the rest open: Redis, last of all, would outlive us.
      await close().catch((error: unknown) =>
        logger.warn({ err: messageOf(error) }, 'Something did not stop as it should'),
      );
    }
  };
  try {
    const resources = await openResources(
      { ...settings, workspace, folder, logger, ask: settings.ask ?? (async () => false) },
      closers,
    );
    const secrets = await folder.secrets();
    await folder.saveSecrets(secrets);
    const adminToken = randomBytes(32).toString('base64url');
    const roles = await wireRoles({
      ...resources,
      workspace,
      environment,
      logger,
      host,
      port: settings.port,
      adminToken,
      consoleSecret: secrets.secret,
      version,
      newId: randomUUID,
      sessionSecrets: (tenant) =>
        workspace.tenants.has(tenant)
          ? Buffer.from(hkdfSync('sha256', secrets.secret, '', `session:${tenant}`, 32))
          : undefined,
      folders: {
        console: existing(join(packageFolder, 'dist', 'console')),
        client: existing(join(packageFolder, 'dist', 'client')),
        demo: workspace.source.demo ? existing(resolve(workspace.folder, workspace.source.demo.site)) : null,
      },
      folder,
    });
    for (const role of roles.inStartOrder) {
      await role.start();
      closers.push(() => role.stop());
    }
    const { gateway, demo } = roles;
    await untilReady(roles.neededToStart);
    const port = Number(new URL(gateway.address).port);
    await registerInstance(environment.stateFolder, port, {
      address: gateway.address,
      workspace: workspace.folder,
      data: folder.path,
      token: adminToken,
      pid: process.pid,
    });
    closers.push(() => unregisterInstance(environment.stateFolder, port, process.pid));
    roles.registered();
    if (settings.simulate) {
      await demo.startSimulating(gateway.address);
      closers.push(() => demo.stopSimulating());
    }
    return {
      address: gateway.address,
      signInLink: gateway.signInLink(),
      demo: workspace.source.demo ? `${gateway.address}/demo/` : null,
      workspace: workspace.folder,
      workspaceName: workspace.name,
      data: folder.path,
      simulating: demo.isSimulating(),
      resetDemo: () => demo.reset(),
      stop: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

const existing = (folder: string): string | null => (existsSync(folder) ? folder : null);

const readyWithinMs = 60_000;

async function untilReady(roles: readonly (Role | Gateway)[]): Promise<void> {
  const givesUpAt = Date.now() + readyWithinMs;
  for (;;) {
    const notReady = roles
      .map((role) => ({ name: role.name, health: role.health() }))
      .filter(({ health }) => health.state !== 'ok');
    if (notReady.length === 0) return;
    if (Date.now() > givesUpAt) {
      const why = notReady.map(({ name, health }) => `${name}: ${reasonOf(health)}`).join('; ');
      throw new PresageError(
        'not_ready',
        `Presage did not become ready within ${readyWithinMs / 1_000} s: ${why}.`,
      );
    }
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

const reasonOf = (health: Health): string => (health.state === 'ok' ? 'ok' : health.why);
