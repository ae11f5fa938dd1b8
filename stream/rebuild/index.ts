export * from './moved.ts';
export * from './port.ts';
export * from './shadow.ts';
