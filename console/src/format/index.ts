export * from './id.ts';
export * from './number.ts';
export * from './time.ts';
export * from './value.ts';
