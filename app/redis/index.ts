export * from './server.ts';
export * from './supervise.ts';
