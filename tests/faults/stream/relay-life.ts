/** Where a relay can be told to kill itself: between what it reads and what it says it has read. */
export const relayPoints = [
  'before the append',
  'during the append',
  'before the acknowledgement',
  'after the acknowledgement',
] as const;

/** What one relay process is told, as JSON. */
export interface RelayLife {
  readonly redis: string;
  readonly partitions: number;
  readonly dieAt: { readonly point: (typeof relayPoints)[number]; readonly after: number } | null;
}
