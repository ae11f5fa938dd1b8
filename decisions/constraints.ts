import type { Verdict } from '../schemas/index.ts';
import type { CompiledAction } from '../workspace/index.ts';
import type { Question } from './question.ts';

/** A constraint that is known before the commit; caps, which only the commit knows, are settled in finish.ts. */
export type Constraint = (action: CompiledAction, question: Question) => Verdict | null;

/** Asked in this order of every candidate that its rules leave in; the first that objects decides. */
export const constraints: readonly Constraint[] = [];
