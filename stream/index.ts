export { linkedUser, makeRelay, relayReader } from './identity/index.ts';
export * from './metrics.ts';
export * from './outbox.ts';
export * from './partition-state.ts';
export * from './request.ts';
export * from './subject-reader.ts';
export * from './topology.ts';
export * from './worker.ts';
export type { Engine, Engines } from './worker-parts.ts';
