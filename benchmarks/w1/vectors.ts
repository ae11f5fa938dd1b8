import { Redis } from 'ioredis';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { w1 } from './events.ts';
import { quantile } from './measure.ts';
import { logVersion, w1Workspace } from './worker.ts';

export interface FinalState {
  readonly vectors: Map<string, string>;
  readonly blobBytes: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** A user's features as the reference writes them (w1/reference.ts). */
export function vectorOf(newest: number, features: Readonly<Record<string, unknown>>): string {
  const values = Object.entries(features).map(([name, value]) => {
    if (value === null) return '-';
    return /^(spent|max)/.test(name) ? Number(value) * 4 : Number(value);
  });
  return [newest, ...values].join(',');
}

/** All users' final vectors, read from Redis and decoded as any reader does. */
export async function finalState(redisUrl: string): Promise<FinalState> {
  const workspace = await w1Workspace();
  const features = makeFeatureSet(workspace);
  const redis = new Redis(redisUrl);
  const vectors = new Map<string, string>();
  const sizes: number[] = [];
  for (let partition = 0; partition < w1.partitions; partition++) {
    const prefix = `{events.v${logVersion}:${partition}}:state:`;
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 2_000);
      cursor = next;
      if (keys.length === 0) continue;
      const blobs = await redis.mgetBuffer(keys);
      for (const [i, blob] of blobs.entries()) {
        if (blob === null) continue;
        sizes.push(blob.length);
        const state = features.decode(blob);
        const user = (keys[i] ?? '').slice(prefix.length + 'acme:u:'.length);
        vectors.set(user, vectorOf(state.newest, features.read(state, state.newest)));
      }
    } while (cursor !== '0');
  }
  await redis.quit();
  sizes.sort((a, b) => a - b);
  return {
    vectors,
    blobBytes: { p50: quantile(sizes, 0.5), p99: quantile(sizes, 0.99), max: sizes.at(-1) ?? 0 },
  };
}
