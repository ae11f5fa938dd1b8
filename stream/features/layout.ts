import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { PresageError } from '../../core/index.ts';
import { measures } from './kinds/index.ts';
import { mostColumns } from './parts/table.ts';

/** How the cells of a table's column are written. */
export type Form = keyof typeof measures;

/**
 * What stands where in a blob: features by their content hashes, first those with a slot, then the columns of each
 * table. A blob names its layout by a number; the description of each layout in use is stored once beside the blobs.
 */
export interface Layout {
  readonly id: number;
  readonly description: string;
  readonly slots: readonly string[];
  /** Null: of a blob from before version 4, in which every feature has a slot. */
  readonly tables: readonly (readonly LayoutColumn[])[] | null;
}

export type LayoutColumn = readonly [hash: string, form: Form];

const hash = z.string().min(1);
const form = z.enum(Object.keys(measures) as [Form, ...Form[]]);
const described = z.union([
  z.strictObject({ v: z.literal(1), features: z.array(hash) }),
  z.strictObject({
    v: z.literal(2),
    slots: z.array(hash),
    tables: z.array(z.array(z.tuple([hash, form])).max(mostColumns)),
  }),
]);

export function layoutOf(slots: readonly string[], tables: readonly (readonly LayoutColumn[])[]): Layout {
  const description = JSON.stringify({ v: 2, slots, tables });
  return { id: crc32(description), description, slots, tables };
}

/** Throws PresageError `layout_unreadable`: not a description that a feature set gave. */
export function parseLayout(description: string): Layout {
  try {
    const layout = described.parse(JSON.parse(description));
    const id = crc32(description);
    return layout.v === 1
      ? { id, description, slots: layout.features, tables: null }
      : { id, description, slots: layout.slots, tables: layout.tables };
  } catch (cause) {
    throw new PresageError(
      'layout_unreadable',
      `A stored layout of feature state can't be read: ${description.slice(0, 80)}. Blobs of that layout must be rebuilt from the log.`,
      { cause },
    );
  }
}

/** Hashes of all features that a layout has. */
export const featuresOf = ({ slots, tables }: Layout): string[] => [
  ...slots,
  ...(tables ?? []).flat().map(([name]) => name),
];
