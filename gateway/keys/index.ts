export { cachedKeys, type FindKey } from './cache.ts';
export type { KeyInfo, KeyKind } from './key.ts';
export { memoryKeyStorage } from './memory.ts';
export { redisKeyStorage } from './redis.ts';
export type { KeyStorage } from './storage.ts';
export {
  type KeyStore,
  type KeyStoreParts,
  type MadeKey,
  makeKeyStore,
  type NewKey,
  stateOfKey,
} from './store.ts';
