export type { OutboxSource } from '../../stream/follow.ts';
export * from './identity.ts';
export * from './inbox/index.ts';
export type { PushLimits } from './limits.ts';
export { defaultLimits } from './limits.ts';
export type { PushMetrics } from './metrics.ts';
export type * from './protocol.ts';
export * from './push.ts';
