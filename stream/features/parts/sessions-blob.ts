import {
  type Reader,
  readCount,
  readText,
  readVarint,
  unreadable,
  type Writer,
  writeText,
  writeVarint,
} from './bytes.ts';
import { blankStats, type Run, type SessionRules, type Sessions, visitId } from './sessions.ts';

/** Writes the runs without their numbers, which each session feature writes in its own slot; `base` = newest time. */
export function writeSessions(writer: Writer, sessions: Sessions, base: number): void {
  writeVarint(writer, sessions.named.length);
  for (const run of sessions.named) {
    writeText(writer, run.id);
    writeTimes(writer, run, base);
  }
  writeVarint(writer, sessions.visits.length);
  for (const run of sessions.visits) writeTimes(writer, run, base);
}

function writeTimes(writer: Writer, run: Run, base: number): void {
  writeVarint(writer, base - run.last);
  writeVarint(writer, run.last - run.first);
}

export function readSessions(reader: Reader, base: number, rules: SessionRules): Sessions {
  const named: Run[] = [];
  const visits: Run[] = [];
  for (let left = readCount(reader, 3); left > 0; left--)
    named.push(readRun(reader, readText(reader), base, rules));
  for (let left = readCount(reader, 2); left > 0; left--) visits.push(readRun(reader, null, base, rules));
  return { named, visits };
}

function readRun(reader: Reader, id: string | null, base: number, rules: SessionRules): Run {
  const last = base - readVarint(reader);
  const first = last - readVarint(reader);
  if (!Number.isSafeInteger(first)) unreadable('a time is out of range', reader.at);
  return { id: id ?? visitId(first), first, last, stats: blankStats(rules) };
}
