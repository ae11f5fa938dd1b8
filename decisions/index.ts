export * from './arbitrate.ts';
export * from './consider.ts';
export * from './finish.ts';
export * from './question.ts';
