import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

/** How far a feed got; kept in the instance's data folder so that an interrupted one goes on where it stopped. */
const progressFile = z.object({
  run: z.string(),
  /** Events of the plan that were acknowledged. */
  sent: z.number().int(),
  finished: z.boolean(),
  /** Events that the gateway refused. */
  rejected: z.array(z.object({ row: z.number(), code: z.string(), message: z.string() })),
  rejectedCount: z.number().int(),
  /** Highest log offset written, by partition. */
  offsets: z.record(z.string(), z.number().int()),
});
export type FeedProgress = z.infer<typeof progressFile>;

export async function readProgress(file: string): Promise<FeedProgress | null> {
  try {
    return progressFile.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

export async function writeProgress(file: string, progress: FeedProgress): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(progress));
  await rename(`${file}.new`, file);
}
