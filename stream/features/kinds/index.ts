import type { CompiledFeature } from '../../../workspace/index.ts';
import type { SessionRules } from '../parts/sessions.ts';
import { count } from './count.ts';
import { distinct } from './distinct.ts';
import { keyed } from './keyed.ts';
import type { Kind } from './kind.ts';
import { last } from './last.ts';
import { lastN } from './last-n.ts';
import { max } from './max.ts';
import { mean } from './mean.ts';
import type { Measure } from './measure.ts';
import { min } from './min.ts';
import { session } from './session.ts';
import { sum } from './sum.ts';
import { timeSince } from './time-since.ts';
import { windowed } from './windowed.ts';

export type { Kind, Observation, Reads } from './kind.ts';

/** The machine of one feature. `stat` is a session feature's index among them. */
export function kindOf(feature: CompiledFeature, stat: number, rules: SessionRules): Kind<unknown> {
  switch (feature.kind) {
    case 'count':
      return measured(feature, count);
    case 'sum':
      return measured(feature, sum);
    case 'min':
      return measured(feature, min);
    case 'max':
      return measured(feature, max);
    case 'mean':
      return measured(feature, mean);
    case 'last':
      return last(feature);
    case 'last_n':
      return lastN(feature);
    case 'distinct':
      return distinct(feature);
    case 'time_since':
      return timeSince();
    case 'session':
      return session(feature, stat, rules);
  }
}

const measured = (feature: CompiledFeature, measure: Measure): Kind<unknown> =>
  feature.by === null ? windowed(feature, measure) : keyed(feature, measure);
