export * from './identity.ts';
export type { FeatureConfig } from './plan.ts';
export type { FeatureEvent, FeatureSet, MakeFeatureSet, SubjectState } from './port.ts';
export { makeFeatureSet } from './set.ts';
export * from './timers/index.ts';
