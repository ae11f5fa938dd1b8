export * from './caller.ts';
export * from './check.ts';
export * from './cluster.ts';
export * from './connection.ts';
export * from './library.ts';
export * from './packer.ts';
export * from './streams.ts';
export * from './trouble.ts';
