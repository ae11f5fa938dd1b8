import type { CompiledFeature } from '../../../workspace/index.ts';
import type { SessionRules } from '../parts/sessions.ts';
import { Tables } from '../parts/table.ts';
import { approxDistinct } from './approx-distinct.ts';
import { count } from './count.ts';
import { decay } from './decay.ts';
import { distinct } from './distinct.ts';
import { keyed } from './keyed.ts';
import type { Kind } from './kind.ts';
import { last } from './last.ts';
import { lastN } from './last-n.ts';
import { max } from './max.ts';
import { mean } from './mean.ts';
import type { Measure } from './measure.ts';
import { min } from './min.ts';
import { sequence } from './sequence.ts';
import { session } from './session.ts';
import { sum } from './sum.ts';
import { timeSince } from './time-since.ts';
import { topK } from './top-k.ts';
import { windowed } from './windowed.ts';

export type { Kind, Observation, Reads } from './kind.ts';

/** The kinds over windows, by the name that stored layouts have for how their cells are written: names never change. */
export const measures = { count, sum, min, max, mean } as const satisfies Record<string, Measure>;

/** The machine of one feature. `stat` is a session feature's index among them; `tables` are those of its subjects. */
export function kindOf(
  feature: CompiledFeature,
  stat: number,
  rules: SessionRules,
  tables: Tables = new Tables(),
): Kind<unknown> {
  switch (feature.kind) {
    case 'count':
    case 'sum':
    case 'min':
    case 'max':
    case 'mean':
      return measured(feature, measures[feature.kind], tables);
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
    case 'decay':
      return decay(feature);
    case 'approx_distinct':
      return approxDistinct(feature);
    case 'top_k':
      return topK(feature);
    case 'sequence':
      return sequence(feature);
    case 'ratio':
    case 'derived':
      throw new Error(`feature ${feature.name} is computed from others and keeps no state`);
  }
}

const measured = (feature: CompiledFeature, measure: Measure, tables: Tables): Kind<unknown> =>
  feature.by === null ? windowed(feature, measure, tables) : keyed(feature, measure);
