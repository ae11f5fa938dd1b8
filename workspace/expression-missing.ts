import type { Evaluation } from './compiled.ts';

/** The evaluation that met a missing value. */
export type Missing = Extract<Evaluation<never>, { kind: 'missing' }>;

/**
 * Carries the name of a missing value through the library's evaluator, which lets `true || missing` be true only for
 * instances of Error. Making an Error costs microseconds for its stack, and a missing value is an everyday result on
 * the hot path, so one instance serves all: evaluation is synchronous and reads it before the next begins.
 */
class MissingValue extends Error {
  result: Missing = { kind: 'missing', name: '' };
}

const signal = new MissingValue('a value is missing');

/** What to throw when evaluation meets a missing value. */
export function foundMissing(name: string): Error {
  signal.result = { kind: 'missing', name };
  return signal;
}

/** The same, with a result made once at load. */
export function foundMissingOnce(result: Missing): Error {
  signal.result = result;
  return signal;
}

export function missingFrom(error: unknown): Missing | undefined {
  return error === signal ? signal.result : undefined;
}
