export { differencesBetween } from './compare.ts';
export type { Difference, JsonSchema } from './difference.ts';
export * from './level.ts';
