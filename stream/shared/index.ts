export { type SharedGroup, sharedGroups, sharedShards } from './groups.ts';
export { type SharedMetrics, sharedMetrics } from './metrics.ts';
export { SharedPartition } from './partition.ts';
export type { SharedReading } from './reading.ts';
export { makeSharedSnapshots, type SharedSnapshots } from './snapshots.ts';
