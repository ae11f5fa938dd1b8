import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Home, root } from './program.ts';

/** An example with a scoring budget that cannot run out: which rung decides must not depend on the machine's mood. */
export async function patientExample(home: Home, name: 'shop' | 'travel'): Promise<string> {
  const folder = join(home.folder, name);
  await cp(join(root, 'examples', name), folder, { recursive: true });
  const file = join(folder, 'presage.yaml');
  const yaml = await readFile(file, 'utf8');
  await writeFile(file, `${yaml.replace(/^scoring:.*$/m, '')}\nscoring: { budget: 10m }\n`);
  return folder;
}
