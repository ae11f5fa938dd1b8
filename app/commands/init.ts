import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, PresageError } from '../../core/index.ts';
import { workspaceFile } from '../../workspace/index.ts';

/**
 * Makes a folder a workspace: writes a `presage.yaml` that runs as it is, and keeps `.presage/` (the data) out of
 * git. Returns the paths of what it wrote. Throws PresageError `workspace_exists`, having written nothing, when the
 * folder is a workspace already, and `workspace_not_written` when the disk refuses.
 */
export async function initWorkspace(folder: string): Promise<readonly string[]> {
  const file = join(folder, workspaceFile);
  const ignore = join(folder, '.gitignore');
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, template(nameFrom(folder), schemaFrom(folder)), { flag: 'wx' });
    return (await keepOutOfGit(ignore)) ? [file, ignore] : [file];
  } catch (error) {
    if (isCode(error, 'EEXIST') && existsSync(file)) {
      throw new PresageError(
        'workspace_exists',
        `${file} exists already, so nothing was written. Choose another folder.`,
      );
    }
    throw new PresageError('workspace_not_written', `${file} can't be written: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

/** false: git ignores it already. */
async function keepOutOfGit(ignore: string): Promise<boolean> {
  const entry = '.presage/';
  const before = await readFile(ignore, 'utf8').catch(() => '');
  if (before.split(/\r?\n/).includes(entry)) return false;
  await appendFile(ignore, `${before === '' || before.endsWith('\n') ? '' : '\n'}${entry}\n`);
  return true;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The folder's own name, as far as it can be one. */
function nameFrom(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, 64);
  // Words that YAML reads as something else than text.
  return /^(|null|true|false)$/.test(name) ? 'workspace' : name;
}

/** Where an editor finds the format's JSON Schema, seen from the folder: beside the sources or beside the build. */
function schemaFrom(folder: string): string {
  const places = ['../../schemas/presage.schema.json', '../../../schemas/presage.schema.json'];
  const found = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync);
  return relative(resolve(folder), found ?? 'presage.schema.json')
    .split(sep)
    .join('/');
}

function template(name: string, schema: string): string {
  return `# yaml-language-server: $schema=${schema}
# \`npx presage check\` says what is wrong here; \`npx presage start\` runs it.
version: 1
name: ${name}
events: open # any event type is welcome; \`closed\` refuses those not declared under \`types\`
tenants:
  main: { currency: EUR, timezone: UTC } # each tenant has keys and data of its own
features: # values computed from a visitor's events, over rolling windows of event time
  pages_seen: { kind: count, of: page, window: 30m }
placements: # where actions can be shown
  banner: { expires: 10m }
actions: # what can be offered
  offer_help:
    placements: [banner]
    eligible: pages_seen >= 3 # an expression over features
    value: 2.50 # what an accepted offer is worth, in the tenant's currency
    caps: [{ per: session, limit: 1 }] # at most once a session
    content: { title: Can we help you find something? } # what the page shows
triggers: # what starts a decision
  page_opened: { on: page, placement: banner }
`;
}
