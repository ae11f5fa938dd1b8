import type { CompiledFeature, CompiledStep, CompiledWorkspace, Expression } from '../../workspace/index.ts';
import { type Kind, kindOf, type Observation, type Reads } from './kinds/index.ts';
import { amountOf } from './parts/decimal.ts';
import type { SessionRules } from './parts/sessions.ts';
import { type Table, Tables } from './parts/table.ts';
import { keptText, textOf } from './parts/text.ts';
import type { FeatureEvent } from './port.ts';

/** The part of a workspace that features depend on. */
export type FeatureConfig = Pick<
  CompiledWorkspace,
  'features' | 'deduplicationIds' | 'deduplicationMs' | 'sessionGapMs'
>;

/** A feature as it runs: its kind, and the index of its slot. */
export interface Machine {
  readonly index: number;
  readonly feature: CompiledFeature;
  readonly kind: Kind<unknown>;
}

/**
 * What to do with an event of one type, worked out once: each condition is evaluated, and each property read, once
 * per event, however many windows look at it.
 */
export type Plan = readonly Group[];

interface Group {
  readonly where: Expression<boolean> | null;
  readonly sources: Source[];
}

interface Source {
  readonly reads: Reads;
  readonly property: string;
  readonly scale: number;
  readonly by: string | null;
  /** Of a sequence: the step that this is. */
  readonly step: number;
  /** Columns of `property` and `by` in a decoder's values. */
  readonly column: number;
  readonly byColumn: number;
  readonly machines: Machine[];
}

export interface Plans {
  readonly machines: readonly Machine[];
  readonly tables: readonly Table[];
  /** Names of the properties that sources read. */
  readonly properties: readonly string[];
  /** What an event of this type does. */
  of(type: string): Plan;
}

/** The engine's own event types begin with `$`: they move neither a subject's newest time nor its session. */
export const isSystemType = (type: string): boolean => type.charCodeAt(0) === 0x24;

export function makePlans(config: FeatureConfig, rules: SessionRules): Plans {
  let stats = 0;
  const tables = new Tables();
  const stateful = config.features.filter(({ derived }) => derived === null);
  const machines = stateful.map((feature, index) => ({
    index,
    feature,
    kind: kindOf(feature, feature.kind === 'session' ? stats++ : -1, rules, tables),
  }));
  const properties = propertiesOf(machines);
  const columnOf = (name: string): number => properties.indexOf(name);
  const named = new Set(stateful.flatMap(inputsOf).flatMap(({ types }) => [...(types ?? [])]));
  const byType = new Map([...named].map((type) => [type, planFor(machines, columnOf, type)]));
  const undeclared = planFor(machines, columnOf, '');
  const nothing: Plan = [];
  return {
    machines,
    tables: tables.all,
    properties,
    of: (type) => byType.get(type) ?? (isSystemType(type) ? nothing : undeclared),
  };
}

function propertiesOf(machines: readonly Machine[]): readonly string[] {
  const names = machines.flatMap(({ feature, kind }) => [
    kind.reads === 'nothing' ? null : feature.property,
    feature.by,
  ]);
  return [...new Set(names.filter((name) => name !== null))];
}

function planFor(machines: readonly Machine[], columnOf: (name: string) => number, type: string): Plan {
  const groups = new Map<string, Group>();
  for (const machine of machines) {
    for (const [step, { types, where }] of inputsOf(machine.feature).entries()) {
      if (types === null ? isSystemType(type) : !types.has(type)) continue;
      const condition = where?.text ?? '';
      const group = groups.get(condition) ?? { where, sources: [] };
      groups.set(condition, group);
      sourceOf(group, machine, step, columnOf).machines.push(machine);
    }
  }
  return [...groups.values()];
}

/** What a feature reads: a sequence one kind of events for each step, any other just one. */
function inputsOf(feature: CompiledFeature): readonly CompiledStep[] {
  return feature.kind === 'sequence' ? feature.steps : [feature];
}

function sourceOf(
  group: Group,
  { feature, kind }: Machine,
  step: number,
  columnOf: (name: string) => number,
): Source {
  const wanted = {
    reads: kind.reads,
    property: kind.reads === 'nothing' ? '' : (feature.property ?? ''),
    scale: kind.reads === 'amount' ? feature.scale : 0,
    by: feature.by,
    step,
  };
  const known = group.sources.find(
    (source) =>
      source.reads === wanted.reads &&
      source.property === wanted.property &&
      source.scale === wanted.scale &&
      source.by === wanted.by &&
      source.step === wanted.step,
  );
  if (known !== undefined) return known;
  const source: Source = {
    ...wanted,
    column: columnOf(wanted.property),
    byColumn: wanted.by === null ? -1 : columnOf(wanted.by),
    machines: [],
  };
  group.sources.push(source);
  return source;
}

/** Reads what a source needs of the event into `seen`; false if the event has not got it. */
export function observe(seen: Observation, source: Source, event: FeatureEvent): boolean {
  seen.step = source.step;
  if (source.by !== null) {
    const key = textIn(event, source.by, source.byColumn);
    if (key === null) return false;
    seen.key = key;
  }
  switch (source.reads) {
    case 'nothing':
      return true;
    case 'text': {
      const text = textIn(event, source.property, source.column);
      if (text !== null) seen.text = text;
      return text !== null;
    }
    case 'amount':
    case 'number': {
      const value = numberIn(event, source.property, source.column);
      // + 0: a minus zero would not survive as a decimal, and compares equal anyway.
      seen.number = source.reads === 'amount' ? amountOf(value, source.scale) : value + 0;
      return Number.isFinite(seen.number);
    }
  }
}

function textIn(event: FeatureEvent, property: string, column: number): string | null {
  const { values } = event;
  if (!values) return textOf(event.properties[property]);
  const text = values.textOf(column);
  return text === null ? null : keptText(text);
}

/** NaN if there is none. */
function numberIn(event: FeatureEvent, property: string, column: number): number {
  const { values } = event;
  if (values) return values.numberOf(column);
  const value = event.properties[property];
  return typeof value === 'number' ? value : Number.NaN;
}
