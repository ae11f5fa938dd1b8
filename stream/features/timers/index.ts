export { type SessionEnd, sessionEnds } from './session-ends.ts';
export { type Stretch, withStretch } from './stretches.ts';
export * from './timers.ts';
export { readTimers, writeTimers } from './timers-blob.ts';
