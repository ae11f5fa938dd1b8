import type { CompiledFeature } from '../../../workspace/index.ts';
import type { SqlParts } from './port.ts';

const never = '-9000000000000000000';

/** A sequence's value: for each key its steps in order, folded with the latest beginning that has come to each step. */
export function sequenceSql(
  { windowMs, withinMs, steps: { length }, measure }: CompiledFeature,
  { steps, key, isFirst, before }: Pick<SqlParts, 'steps' | 'key' | 'isFirst' | 'before'>,
): string {
  const isStep = steps.map((step) => `(${step})`).join(' OR ');
  const newestStep = before(`maxIf(time, ${isStep})`);
  const inWindow = `(${isStep}) AND ${isFirst} AND time > greatest(at, newest, ${newestStep}) - ${windowMs} AND time <= at`;
  const events = `arraySort(groupArrayIf((time, id, ${key}, [${steps.join(', ')}]), ${inWindow}))`;
  const candidate = `if(e.4[i], if(i = 1, e.1, acc.3[i - 1]), ${never})`;
  const reached = `arrayMap(i -> if(e.1 - ${candidate} <= ${withinMs}, ${candidate}, ${never}), range(1, ${length + 1}))`;
  const blank = `arrayWithConstant(${length}, toInt64(${never}))`;
  const step = `if((${reached})[${length}] > ${never}, (acc.1 + 1, e.1, ${blank}), (acc.1, acc.2, arrayMap((a, b) -> greatest(a, b), acc.3, ${reached})))`;
  const start = `(toUInt64(0), toInt64(${never}), ${blank})`;
  const ofKeys = `arrayMap(k -> arrayFold((acc, e) -> ${step}, arrayFilter(x -> x.3 = k, ${events}), ${start}), arrayDistinct(arrayMap(x -> x.3, ${events})))`;
  const count = `arraySum(arrayMap(r -> r.1, ${ofKeys}))`;
  if (measure === 'any') return `toBool(${count} > 0)`;
  if (measure === 'count') return `toFloat64(${count})`;
  return `if(${count} = 0, NULL, toFloat64(any(at) - arrayMax(arrayMap(r -> r.2, ${ofKeys}))) / 1000)`;
}
