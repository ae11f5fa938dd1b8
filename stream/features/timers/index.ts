export { type SessionEnd, sessionEnds } from './session-ends.ts';
export * from './timers.ts';
export { readTimers, writeTimers } from './timers-blob.ts';
