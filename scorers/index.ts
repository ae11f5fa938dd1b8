export * from './breaker.ts';
export * from './load.ts';
export * from './metrics.ts';
export * from './port.ts';
export * from './row.ts';
