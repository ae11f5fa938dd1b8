export * from './decisions.ts';
export * from './feed.ts';
export * from './remove.ts';
export * from './totals.ts';
