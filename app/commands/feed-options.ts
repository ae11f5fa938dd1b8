import { PresageError } from '../../core/index.ts';
import type { SharedOptions } from './context.ts';

export interface FeedOptions extends SharedOptions {
  readonly map?: string;
  readonly tenant?: string;
  readonly rate: number | 'max';
  readonly order: 'time' | 'file';
  readonly format?: 'csv' | 'jsonl';
  readonly data?: string;
  readonly sortMemory: number;
  readonly sortDisk: number;
}

export function parseRate(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const rate = Number(text);
  if (Number.isFinite(rate) && rate > 0) return rate;
  throw new PresageError('usage', `--rate: expected a number of events per second, or max, got "${text}".`);
}

export function parseMegabytes(text: string): number {
  const megabytes = Number(text);
  if (Number.isFinite(megabytes) && megabytes > 0) return megabytes;
  throw new PresageError('usage', `expected a number of megabytes, got "${text}".`);
}
