import { pathToFileURL } from 'node:url';
import { messageOf, PresageError } from '../../core/index.ts';

/** An offer that a simulated visitor has on the screen. */
export interface SeenOffer {
  readonly decision: string;
  readonly action: string;
  readonly placement: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** What a simulated visitor does next. */
export type Step =
  | { readonly wait: number }
  | { readonly page: string }
  | { readonly track: string; readonly properties?: Readonly<Record<string, unknown>> }
  | { readonly accept: SeenOffer }
  | { readonly dismiss: SeenOffer };

export interface VisitInput {
  /** In [0, 1), the same sequence for the same seed and visit. */
  readonly random: () => number;
  /** 0 for the first visit. */
  readonly number: number;
}

/** One visit. Each `yield` gives a step and is answered with the offers that came on the screen since the last one. */
export type Visit = (input: VisitInput) => Generator<Step, void, readonly SeenOffer[]>;

/** The visit that a module of a workspace exports by default. Throws PresageError `bad_simulation`. */
export async function loadVisit(path: string): Promise<Visit> {
  let loaded: { default?: unknown };
  try {
    loaded = (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (error) {
    throw new PresageError('bad_simulation', `${path} cannot be loaded: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (typeof loaded.default !== 'function')
    throw new PresageError(
      'bad_simulation',
      `${path}: the default export must be a generator function: export default function* visit({ random, number }) {...}.`,
    );
  return loaded.default as Visit;
}
