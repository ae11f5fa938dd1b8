import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, PresageError } from '../../core/index.ts';
import { canonicalJson, type EventSchema } from '../../workspace/index.ts';

const snapshotFile = z.strictObject({
  /** The event type; null: the schema of any event. */
  type: z.string().nullable(),
  name: z.string(),
  /** Oldest first; the last is the one in force. */
  versions: z.array(z.record(z.string(), z.unknown())).min(1),
});

/** What a workspace's schema has been, version by version: one committed file for each event type. */
export interface Snapshot extends z.infer<typeof snapshotFile> {
  readonly file: string;
}

/** The folder's snapshots by record name; null: there is no such folder. Throws `snapshot_unreadable`. */
export async function readSnapshots(folder: string): Promise<ReadonlyMap<string, Snapshot> | null> {
  const files = await readdir(folder).catch(() => null);
  if (files === null) return null;
  const snapshots = new Map<string, Snapshot>();
  for (const file of files.filter((name) => name.endsWith('.json')).sort()) {
    const path = join(folder, file);
    try {
      const snapshot = snapshotFile.parse(JSON.parse(await readFile(path, 'utf8')));
      snapshots.set(snapshot.name, { ...snapshot, file });
    } catch (error) {
      const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
      throw new PresageError('snapshot_unreadable', `${path} is no snapshot of a schema: ${why}`, {
        cause: error,
      });
    }
  }
  return snapshots;
}

export interface Written {
  readonly name: string;
  readonly file: string;
  readonly change: 'new' | 'version' | 'same' | 'removed';
  readonly version: number;
}

/** Brings the folder up to these schemas: a changed one becomes another version; a type that is gone goes. */
export async function writeSnapshots(
  folder: string,
  before: ReadonlyMap<string, Snapshot>,
  schemas: readonly EventSchema[],
): Promise<readonly Written[]> {
  await mkdir(folder, { recursive: true });
  const written: Written[] = [];
  const taken = new Set([...before.values()].map(({ file }) => file.toLowerCase()));
  for (const { type, name, schema } of schemas) {
    const known = before.get(name);
    const versions = [...(known?.versions ?? [])];
    const isSame = canonicalJson(versions.at(-1)) === canonicalJson(schema);
    if (!isSame) versions.push(schema);
    const file = known?.file ?? freeName(name, taken);
    const change = known === undefined ? 'new' : isSame ? 'same' : 'version';
    if (!isSame)
      await writeFile(join(folder, file), `${JSON.stringify({ type, name, versions }, null, 2)}\n`);
    written.push({ name, file, change, version: versions.length });
  }
  const present = new Set(schemas.map(({ name }) => name));
  for (const { name, file, versions } of before.values()) {
    if (present.has(name)) continue;
    await rm(join(folder, file));
    written.push({ name, file, change: 'removed', version: versions.length });
  }
  return written;
}

/** A file name for a record name: its letters, and a number where another type has that name. */
function freeName(name: string, taken: Set<string>): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 100);
  for (let nth = 1; ; nth++) {
    const file = `${plain}${nth === 1 ? '' : `-${nth}`}.json`;
    if (taken.has(file.toLowerCase())) continue;
    taken.add(file.toLowerCase());
    return file;
  }
}
