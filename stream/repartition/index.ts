export type { Send } from './copy.ts';
export { type Mover, makeMover, type SettleParts } from './mover.ts';
