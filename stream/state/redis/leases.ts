import type { LeasePlace, LeaseStore } from '../leases/lease.ts';
import type { StateCalls } from './functions.ts';

/** How long a decision waits for a lease before it goes without. */
const patienceMs = 1_000;

/** Leases beside their partition's keys, and ledgers under tags of their own, so that any node of a cluster may have them. */
export function redisLeases(calls: StateCalls, version: number): LeaseStore {
  const ledgerOf = ({ tenant, cap }: LeasePlace): string => `{presage.ledger:${tenant}}:${cap}`;
  const placeOf = (partition: number): string => `${version}:${partition}`;

  return {
    async lease(place, { granted, giveBack = false }) {
      const { partition, tenant, cap, bucket } = place;
      const reply = (await calls.invoke(
        'lease',
        [calls.keysOf(partition).lease(tenant, cap)],
        [String(bucket), granted === undefined ? '' : String(granted), giveBack ? '1' : '0'],
        `read what partition ${partition} holds of ${cap}`,
        patienceMs,
      )) as string[];
      if (reply.length < 3) return null;
      const [all, used, returned] = reply.map(Number);
      return { granted: all ?? 0, used: used ?? 0, returned: returned ?? 0 };
    },
    async grant(place, lease, wanted) {
      const { partition, cap, bucket, spans, limit } = place;
      const key = ledgerOf(place);
      const numbers = [bucket, spans, limit].map(String);
      const held = [lease.granted, lease.returned, wanted].map(String);
      const [granted] = (await calls.invoke(
        'ledger',
        [key, `${key}@${bucket}`],
        [...numbers, placeOf(partition), ...held],
        `lease of ${cap} for partition ${partition}`,
        patienceMs,
      )) as string[];
      return Number(granted ?? lease.granted);
    },
    async holders(place) {
      const all = await calls.send(
        (redis) => redis.hgetall(`${ledgerOf(place)}@${place.bucket}`),
        `read who holds of ${place.cap}`,
      );
      const prefix = `g${placeOf(0).slice(0, -1)}`;
      return Object.entries(all)
        .filter(
          ([field, granted]) =>
            field.startsWith(prefix) && Number(granted) > Number(all[`r${field.slice(1)}`] ?? 0),
        )
        .map(([field]) => Number(field.slice(prefix.length)))
        .sort((a, b) => a - b);
    },
  };
}
