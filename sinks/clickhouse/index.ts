export { type EmbeddedOptions, openEmbeddedWarehouse } from './embedded/open.ts';
export { type SinkMetrics, sinkMetrics } from './metrics.ts';
export type { SinkLimits } from './partition-sink.ts';
export * from './port.ts';
export * from './queries/index.ts';
export { openServerWarehouse, type ServerOptions } from './server.ts';
export { makeSink, type Sink, type SinkParts } from './sink.ts';
