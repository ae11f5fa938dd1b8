export * from './http.ts';
export * from './poll.ts';
export * from './resource.ts';
export * from './session.ts';
export * from './status.ts';
export * from './store.ts';
export * from './throughput.ts';
