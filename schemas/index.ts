export * from './api.ts';
export * from './console.ts';
export * from './decision.ts';
export { durationMs } from './duration.ts';
export * from './event.ts';
export * from './identity.ts';
export * from './manifest.ts';
export * from './outbox.ts';
export * from './workspace/index.ts';
