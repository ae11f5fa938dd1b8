import type { CompiledFeature } from '../../../workspace/index.ts';
import { readVarint, writeVarint } from '../parts/bytes.ts';
import { mostRuns, type Run, type SessionRules, type Sessions, statAt } from '../parts/sessions.ts';
import type { Kind } from './kind.ts';

/**
 * Of the subject's session at the time of reading (parts/sessions.ts): how many matching events it has (0 without
 * one), or the seconds since its first matching event (null without one). System events belong to no session.
 * All events of the session known so far count, as sessions keep no history: a decision that comes late sees them.
 * The numbers stand with the runs, so that runs that turn out to be one are added up; `stat` is their index there.
 */
export function session({ measure }: CompiledFeature, stat: number, rules: SessionRules): Kind<null> {
  const counts = measure !== 'duration';
  const blank = counts ? 0 : Infinity;
  const statOf = (run: Run): number => run.stats[stat] ?? blank;
  return {
    reads: 'nothing',
    sql: {
      bound: null,
      value: ({ session }) =>
        counts
          ? `toFloat64(ifNull(${session('count')}, 0))`
          : `if(${session('first')} > any(at), NULL, toFloat64(any(at) - ${session('first')}) / 1000)`,
      // Sessions are exact for events at most the window late, and with at most so many runs of either sort.
      beyond: ({ session }) => `${session('runs')} > ${mostRuns} OR any(isLaterThanWindow)`,
    },
    empty: () => null,
    update(_, { run, time }) {
      if (run !== null) run.stats[stat] = counts ? statOf(run) + 1 : Math.min(statOf(run), time);
    },
    read(_, at, { sessions }) {
      const value = statAt(sessions, stat, at, rules);
      if (counts) return value ?? 0;
      return value === null || value > at ? null : (at - value) / 1_000;
    },
    encode(_, writer, { sessions }) {
      const runs = allOf(sessions);
      if (runs.every((run) => statOf(run) === blank)) return;
      for (const run of runs) {
        const value = statOf(run);
        // 0 stands for no such event in both.
        if (counts || value === Infinity) writeVarint(writer, counts ? value : 0);
        else writeVarint(writer, value - run.first + 1);
      }
    },
    decode(reader, { sessions }) {
      for (const run of allOf(sessions)) {
        const value = readVarint(reader);
        if (counts) run.stats[stat] = value;
        else if (value > 0) run.stats[stat] = run.first + value - 1;
      }
      return null;
    },
    words(_, { sessions }) {
      const runs = allOf(sessions);
      const having = runs.filter((run) => statOf(run) !== blank).length;
      return `kept with ${having} of ${runs.length} remembered sessions`;
    },
    // Sessions are merged as a whole, numbers included.
    merge() {},
    fill(_, __, into, from) {
      for (const [mine, theirs] of [
        [into.sessions.named, from.sessions.named],
        [into.sessions.visits, from.sessions.visits],
      ] as const) {
        for (const run of mine) {
          const same = theirs
            .filter((other) => isPartOf(other, run, mine === into.sessions.named))
            .map(statOf);
          run.stats[stat] = counts ? same.reduce((sum, value) => sum + value, 0) : Math.min(blank, ...same);
        }
      }
    },
  };
}

const isPartOf = (other: Run, run: Run, isNamed: boolean): boolean =>
  (!isNamed || other.id === run.id) && other.first <= run.last && other.last >= run.first;

const allOf = (sessions: Sessions): Run[] => [...sessions.named, ...sessions.visits];
