export * from './arbitrate.ts';
export * from './caps.ts';
export * from './consider.ts';
export * from './constraints.ts';
export { type DecideParts as KernelParts, decide } from './decide.ts';
export * from './finish.ts';
export * from './question.ts';
export * from './release.ts';
