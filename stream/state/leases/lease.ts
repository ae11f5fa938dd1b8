/** What a partition holds of one bucket of a tenant's limit: counts since ever. */
export interface Lease {
  granted: number;
  used: number;
  returned: number;
}

/** A limit that all of a tenant share, at one stretch of event time, and the partition that takes from it. */
export interface LeasePlace {
  readonly partition: number;
  readonly tenant: string;
  readonly cap: string;
  readonly bucket: number;
  /** The limit holds for any `spans + 1` buckets in a row. */
  readonly spans: number;
  readonly limit: number;
}

/** A partition that holds something of a bucket. */
export interface Holder {
  readonly bucket: number;
  readonly partition: number;
}

export const inOrder = (a: Holder, b: Holder): number => a.bucket - b.bucket || a.partition - b.partition;

/** Buckets kept of a limit, by a partition and by the ledger; older ones have no room. */
export const keptBuckets = 64;

export const leftOf = ({ granted, used, returned }: Lease): number => granted - used - returned;

/** How leases are kept: each method is one atomic step at one place; leases.lua and ledger.lua say more. */
export interface LeaseStore {
  /** Notes what was granted, gives back what is left if told to, and reads. null: too old a bucket. */
  lease(
    place: LeasePlace,
    change: { readonly granted?: number; readonly giveBack?: boolean },
  ): Promise<Lease | null>;
  /** Grants at most `wanted`, to a place that holds `lease`; all that it was ever granted. */
  grant(place: LeasePlace, lease: Lease, wanted: number): Promise<number>;
  /** Who holds any of what shares the limit with this bucket, this one included, as far as the ledger knows. */
  holders(place: LeasePlace): Promise<readonly Holder[]>;
}
