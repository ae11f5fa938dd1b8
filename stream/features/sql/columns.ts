import type { CompiledFeature } from '../../../workspace/index.ts';
import type { Reads } from '../kinds/index.ts';
import { quoted } from './port.ts';
import { amountSql, numberSql, textSql } from './properties.ts';

/** Expressions that several features share, each computed once for an event, as columns that narrow rows can carry. */
export interface Columns {
  /** The column that holds an expression over `json`, `type`, `isOrdinary` and the columns made before. */
  of(expression: string): string;
  /** All of them, in an order in which each can be computed: `<expression> AS <name>`. */
  all(): readonly { readonly name: string; readonly expression: string }[];
}

export function makeColumns(prefix: string): Columns {
  const names = new Map<string, string>();
  return {
    of(expression) {
      const known = names.get(expression);
      if (known !== undefined) return known;
      const name = `${prefix}${names.size}`;
      names.set(expression, name);
      return name;
    },
    all: () => [...names].map(([expression, name]) => ({ name, expression })),
  };
}

/** What a feature reads of an event, as columns of `columns`. */
export interface FeatureColumns {
  readonly matches: string;
  readonly value: string;
  readonly key: string;
}

/** `condition`: the SQL of the feature's `where`, true where it holds. */
export function columnsOf(
  columns: Columns,
  feature: CompiledFeature,
  reads: Reads,
  condition: string | null,
): FeatureColumns {
  const property = feature.property ?? '';
  const key = feature.by === null ? null : columns.of(textSql(feature.by));
  const value = reads === 'nothing' ? null : columns.of(valueSql(reads, property, feature.scale));
  const types = feature.types;
  const conditions = [
    types === null ? 'isOrdinary' : `type IN (${[...types].sort().map(quoted).join(', ')})`,
    ...(condition === null ? [] : [columns.of(`ifNull(${condition}, false)`)]),
    ...[key, value].flatMap((column) => (column === null ? [] : [`isNotNull(${column})`])),
  ];
  return {
    matches: columns.of(conditions.join(' AND ')),
    value: value === null ? '0' : `assumeNotNull(${value})`,
    key: key === null ? "''" : `assumeNotNull(${key})`,
  };
}

function valueSql(reads: Exclude<Reads, 'nothing'>, property: string, scale: number): string {
  switch (reads) {
    case 'amount':
      return amountSql(property, scale);
    case 'number':
      return numberSql([property]);
    case 'text':
      return textSql(property);
  }
}
