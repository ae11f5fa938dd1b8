export * from './connection.ts';
export * from './describe.ts';
export * from './feed.ts';
export * from './rows.ts';
export * from './stream.ts';
