import { existsSync, renameSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const largestLog = 1_000_000;

/** The file for the server's own log: outlives the server and us. One older file is kept. */
export function logFileOf(folder: string): string {
  const file = join(folder, 'redis.log');
  if (existsSync(file) && statSync(file).size > largestLog) renameSync(file, `${file}.1`);
  return file;
}

/** What the server logged since `from` bytes: its last three lines, without process ids and dates, in one line. */
export async function lastWords(logFile: string, from = 0): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const lines = text
    .slice(from)
    .split('\n')
    .map((line) => line.replace(/^\d+:[A-Z] .*?\d \S /, '').trim())
    .filter((line) => line !== '');
  return lines.slice(-3).join(' | ') || 'none';
}
