import type { Lookup } from '../schemas/index.ts';

/**
 * Business systems that are asked when a decision is made (inventory, orders, billing): a place kept for them, no
 * adapter is there yet. What they say stands in the record, with its age, so that a replay need not ask again.
 */
export interface Lookups {
  /**
   * What is known of the subject within so many milliseconds: those that answered, or whose cached answer is young
   * enough. Never rejects: a system that is slow or away is left out.
   */
  read(
    asked: { readonly tenant: string; readonly subject: string; readonly placements: readonly string[] },
    withinMs: number,
  ): Promise<readonly Lookup[]>;
}
