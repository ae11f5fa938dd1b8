export type { FeatureConfig } from './plan.ts';
export type { FeatureEvent, FeatureSet, MakeFeatureSet, SubjectState } from './port.ts';
export { type MergingFeatureSet, makeFeatureSet } from './set.ts';
export * from './timers/index.ts';
