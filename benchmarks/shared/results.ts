import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { machine } from '../w1/measure.ts';

const firstLine = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).split('\n')[0] ?? '';

/** Machine, versions, fsync mode and commit: what a result is worth nothing without. */
export function circumstances(fsync: string): string {
  const redis = firstLine('redis-server', ['--version']).match(/v=(\S+)/)?.[1];
  const commit = firstLine('git', ['rev-parse', '--short', 'HEAD']);
  const changed =
    firstLine('git', ['status', '--porcelain', '--untracked-files=no']) === '' ? '' : ', changed';
  return `Machine: ${machine()}; everything that takes part shares it. Load at the end (1, 5, 15 min): ${loadavg()
    .map((load) => load.toFixed(1))
    .join(
      ', ',
    )}. Redis ${redis}, Kafka 4.1, kafkajs 2.2.4. appendfsync ${fsync}. Commit ${commit}${changed}, ${new Date().toISOString().slice(0, 10)}.`;
}

/** Puts a benchmark's part of benchmarks/RESULTS.md between its marks; the others stay. */
export function place(name: string, text: string): void {
  const file = join(process.cwd(), 'benchmarks', 'RESULTS.md');
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const old = readFileSync(file, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < 0) throw new Error(`benchmarks/RESULTS.md has no place for ${name}`);
  writeFileSync(file, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}

/** Prints the result, and writes it down unless it was asked not to. */
export function publish(name: string, text: string, isKept: boolean): void {
  if (isKept) place(name, text);
  console.log(text);
}
