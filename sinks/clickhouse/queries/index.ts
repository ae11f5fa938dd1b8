export * from './decisions.ts';
export * from './feed.ts';
export { eventHistory, type HistoryParts } from './history.ts';
export * from './outcomes/index.ts';
export * from './remove.ts';
export * from './subject-events.ts';
export * from './totals.ts';
