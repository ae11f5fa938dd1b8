import { Environment } from '@marcbachmann/cel-js';
import { missingNumber } from './expression-missing.ts';

/** Bounds of one expression as it is written. */
export const limits = {
  maxAstNodes: 400,
  maxDepth: 24,
  maxListElements: 200,
  maxMapEntries: 64,
  maxCallArguments: 8,
} as const;

/** Only parses what people write, within the bounds; types are checked after translation. */
export const writing: Environment = new Environment({ limits });

/** Name under which the translation looks up a key of a keyed feature; no function that people can write. */
export const keyedValue = 'keyedValue';

/**
 * Where translated expressions run. Parentheses that the translation adds count as depth in the library, hence the
 * wide limits: the text was held to `limits` before.
 */
export const running: Environment = new Environment({ limits: { maxDepth: 250, maxAstNodes: 4_000 } })
  .registerOperator('double % double', (a: number, b: number) => a % b)
  .registerFunction(`${keyedValue}(map<string, double>, string, string): double`, {
    async: false,
    handler: (values: Readonly<Record<string, number>>, key: string, feature: string): number => {
      const value = Object.hasOwn(values, key) ? values[key] : undefined;
      return value ?? missingNumber(`${feature}[${JSON.stringify(key)}]`);
    },
  });

const definitions = writing.getDefinitions();

/** Every function and method of the library. */
export const functionNames: ReadonlySet<string> = new Set(definitions.functions.map((one) => one.name));

/** Those whose result is always an int, which the translation turns into a double. */
export const wholeNumberFunctions: ReadonlySet<string> = new Set(
  [...functionNames].filter((name) =>
    definitions.functions.every(
      (one) => one.name !== name || one.returnType === 'int' || one.returnType === 'uint',
    ),
  ),
);

/** Names of types, as in `type(event.size) == double`. */
export const typeNames: ReadonlySet<string> = new Set(
  definitions.variables.filter((one) => one.type === 'type').map((one) => one.name),
);

/** `exists(x, ...)` and the like: their first argument names a variable. */
export const macrosThatBind: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** Names that the language itself uses, so that no feature may. */
export function isReservedName(name: string): boolean {
  return reserved.has(name) || writing.hasVariable(name);
}

const reserved: ReadonlySet<string> = new Set([
  ...['event', 'action', 'context', 'true', 'false', 'null', 'in'],
  // Reserved by CEL for its host languages.
  ...[
    'as',
    'break',
    'const',
    'continue',
    'else',
    'for',
    'function',
    'if',
    'import',
    'let',
    'loop',
    'package',
  ],
  ...['namespace', 'return', 'var', 'void', 'while', 'prototype'],
]);
