import type { WorkspaceSource } from '../schemas/index.ts';
import type { Compiling } from './compile-context.ts';
import { knownProperties } from './event-names.ts';
import { type Path, quote } from './problems.ts';
import { nearest } from './suggest.ts';

type PropertyType = WorkspaceSource['types'][string]['properties'][string];

/** What a definition does with a property: it computes with it, or tells its values apart. */
export type PropertyUse = 'number' | 'text';

const usable: Readonly<Record<PropertyUse, readonly PropertyType[]>> = {
  number: ['number'],
  text: ['string', 'number', 'boolean'],
};

/**
 * Reports a property that events of these types can't have, or that is no use as it is declared: what reads it would
 * stay empty without a word. One report at most. `types`: null = of every type, of which some may be undeclared.
 */
export function checkProperty(
  compiling: Compiling,
  types: readonly string[] | null,
  property: string,
  use: PropertyUse,
  path: Path,
): void {
  const declarations = [...(types ?? compiling.names.types)].map((type) => ({
    type,
    properties: knownProperties(compiling, type),
  }));
  const lacking = declarations.filter(
    ({ properties }) => properties !== null && !Object.hasOwn(properties, property),
  );
  const having = declarations.flatMap(({ type, properties }) => {
    const found =
      properties !== null && Object.hasOwn(properties, property) ? properties[property] : undefined;
    return found === undefined ? [] : [{ type, found }];
  });
  const wrong = having.filter(({ found }) => !usable[use].includes(found));
  if (types === null) {
    const isNowhere = compiling.source.events === 'closed' && lacking.length === declarations.length;
    if (isNowhere) reportLack(compiling, null, property, path);
    else if (wrong.length === having.length) reportType(compiling, wrong[0], property, use, path);
    return;
  }
  const [lacks] = lacking;
  if (lacks !== undefined) reportLack(compiling, lacks.type, property, path);
  else reportType(compiling, wrong[0], property, use, path);
}

function reportLack(compiling: Compiling, type: string | null, property: string, path: Path): void {
  const { source, report } = compiling;
  const known = type === null ? Object.keys(source.types) : [type];
  const suggestion = nearest(
    property,
    known.flatMap((name) => Object.keys(knownProperties(compiling, name) ?? {})),
  );
  const message =
    type === null
      ? `expected a property that some event type declares but found ${quote(property)}`
      : `expected a property of ${quote(type)} but found ${quote(property)}: declare it under types.${type}.properties, or read another`;
  report(path, message, { suggestion });
}

function reportType(
  compiling: Compiling,
  wrong: { readonly type: string; readonly found: PropertyType } | undefined,
  property: string,
  use: PropertyUse,
  path: Path,
): void {
  if (wrong === undefined) return;
  const wanted = use === 'number' ? 'a number' : 'text, a number, or true or false';
  compiling.report(
    path,
    `expected a property that is ${wanted} but ${quote(wrong.type)} declares ${quote(property)} as ${wrong.found}`,
  );
}
