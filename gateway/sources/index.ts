export { type SourceMetrics, sourceMetrics } from './metrics.ts';
export { makeSource, type SourceParts } from './source.ts';
