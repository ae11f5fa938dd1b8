export * from './clock.ts';
export * from './errors.ts';
export * from './gate.ts';
export * from './ids.ts';
export * from './log.ts';
export * from './murmur2.ts';
export * from './role.ts';
export * from './simulated.ts';
