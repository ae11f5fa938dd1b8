export * from './handover.ts';
export * from './moved.ts';
export * from './pace.ts';
export * from './port.ts';
export * from './shadow.ts';
