import { outcomeNames, outcomesSource, type WorkspaceSource } from '../schemas/index.ts';
import { checkProperty } from './check-property.ts';
import { type Compiling, expressionAt } from './compile-context.ts';
import type { CompiledMetric, CompiledOutcomes } from './compiled.ts';
import { durationMs } from './duration.ts';
import { checkEventType, eventNames } from './event-names.ts';
import { quote } from './problems.ts';

type Metric = NonNullable<WorkspaceSource['outcomes']>['metrics'][string];

/** More would make each question about outcomes slow. */
const mostMetrics = 16;

/** What counts as an answer, and which events as success. A workspace without the section has its defaults. */
export function compileOutcomes(compiling: Compiling): CompiledOutcomes {
  const outcomes = compiling.source.outcomes ?? outcomesSource.parse({});
  const metrics = Object.entries(outcomes.metrics);
  if (metrics.length > mostMetrics)
    compiling.report(
      ['outcomes', 'metrics'],
      `expected at most ${mostMetrics} metrics but found ${metrics.length}`,
      { at: 'key' },
    );
  return {
    timeoutMs: durationMs(outcomes.timeout),
    windowMs: durationMs(outcomes.window),
    scale: outcomes.scale,
    metrics: metrics.map(([name, metric]) => compileMetric(compiling, name, metric, outcomes.window)),
  };
}

function compileMetric(
  compiling: Compiling,
  name: string,
  metric: Metric,
  defaultWindow: string,
): CompiledMetric {
  const { report } = compiling;
  const path = ['outcomes', 'metrics', name];
  if (name === 'shown' || outcomeNames.some((outcome) => outcome === name))
    report(path, `expected another name: ${quote(name)} is an outcome that every decision can have`, {
      at: 'key',
    });
  const types = [metric.of].flat();
  types.forEach((type, index) => {
    const at = Array.isArray(metric.of) ? [...path, 'of', index] : [...path, 'of'];
    if (type === '*') report(at, 'expected event types by name but found "*"');
    else if (type.startsWith('$'))
      report(at, "expected an event that subjects send but found one of the engine's own");
    else checkEventType(compiling, type, at);
  });
  for (const [field, use] of [
    ['value', 'number'],
    ['once_per', 'text'],
    ['decision', 'text'],
  ] as const) {
    const property = metric[field];
    if (property !== undefined) checkProperty(compiling, types, property, use, [...path, field]);
  }
  const window = metric.window ?? defaultWindow;
  const timeout = metric.timeout ?? window;
  if (durationMs(timeout) > durationMs(window))
    report(
      [...path, 'timeout'],
      `expected at most the window, ${window}, after which nothing counts, but found ${timeout}`,
    );
  return {
    name,
    types,
    where:
      metric.where === undefined
        ? null
        : expressionAt(compiling, [...path, 'where'], metric.where, 'bool', {
            features: null,
            event: eventNames(compiling, types),
            action: null,
            context: false,
          }),
    value: metric.value ?? null,
    scale: metric.scale,
    oncePer: metric.once_per ?? null,
    decision: metric.decision ?? null,
    windowMs: durationMs(window),
    timeoutMs: durationMs(timeout),
  };
}
