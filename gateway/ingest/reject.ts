import type { Rejection } from '../../schemas/index.ts';

/** Why an event can't be kept; its place in the batch is added by whoever knows it. */
export type Reason = Omit<Rejection, 'index'>;

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: Reason };

export const kept = <T>(value: T): Checked<T> => ({ ok: true, value });

export const refused = (
  code: string,
  message: string,
  where: { path?: string; expected?: string; got?: string } = {},
): Checked<never> => ({ ok: false, reason: { code, message, ...where } });

export const wrongType = (path: string, expected: string, got: string): Checked<never> =>
  refused('wrong_type', `${path}: expected ${expected}, got ${got}.`, { path, expected, got });

/** A value's type as a person would call it. */
export function nameOfType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value;
}
