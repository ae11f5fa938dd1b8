import { createReadStream } from 'node:fs';
import { mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { PresageError } from '../../core/index.ts';
import { explainFull } from './disk-full.ts';

/** What a feed reads, twice: once for its hash, once for its rows. */
export interface FeedSource {
  open(): Readable;
  close(): Promise<void>;
}

export function fileSource(path: string): FeedSource {
  return { open: () => createReadStream(path), close: async () => undefined };
}

/**
 * Keeps a stream in a file of the folder that has lost its name already, so that nothing of it stays behind however
 * the process ends.
 */
export async function spoolSource(input: Readable, folder: string): Promise<FeedSource> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `input-${process.pid}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    let bytes = 0;
    for await (const chunk of input as AsyncIterable<Buffer>) {
      await file.appendFile(chunk);
      bytes += chunk.length;
    }
    if (bytes === 0) throw new PresageError('file_unreadable', 'Standard input was empty.');
  } catch (error) {
    await file.close();
    throw explainFull(
      error,
      folder,
      'standard input is kept there while it is fed. Make room, or feed a file',
    );
  }
  return {
    open: () => file.createReadStream({ start: 0, autoClose: false }),
    close: () => file.close(),
  };
}
