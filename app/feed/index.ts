export * from './map.ts';
export * from './plan.ts';
export * from './progress.ts';
export * from './report.ts';
export * from './rows.ts';
export * from './send.ts';
export * from './source.ts';
