import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { PresageError } from '../../core/index.ts';

/**
 * The order of slots in a blob: the features' content hashes. A blob names its layout by a number; the description
 * of each layout in use is stored once beside the blobs.
 */
export interface Layout {
  readonly id: number;
  readonly description: string;
  readonly features: readonly string[];
}

const described = z.strictObject({ v: z.literal(1), features: z.array(z.string().min(1)) });

export function layoutOf(features: readonly string[]): Layout {
  const description = JSON.stringify({ v: 1, features });
  return { id: crc32(description), description, features };
}

/** Throws PresageError `layout_unreadable`: not a description that a feature set gave. */
export function parseLayout(description: string): Layout {
  try {
    return layoutOf(described.parse(JSON.parse(description)).features);
  } catch (cause) {
    throw new PresageError(
      'layout_unreadable',
      `A stored layout of feature state can't be read: ${description.slice(0, 80)}. Blobs of that layout must be rebuilt from the log.`,
      { cause },
    );
  }
}
