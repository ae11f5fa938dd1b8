import { isMap, isNode, isPair, isScalar, isSeq, type Node, parseDocument, type YAMLMap } from 'yaml';
import type { ProposedProperty, ProposedType } from './propose.ts';
import { oneLine, renderProposals } from './render.ts';

export interface Merged {
  readonly text: string;
  /** `product_viewed`, or `product_viewed.colour` for a property of a declared type. */
  readonly added: readonly string[];
  /** What has to be added by hand, and why. */
  readonly skipped: readonly string[];
}

interface Edit {
  readonly at: number;
  /** What is replaced from there on. */
  readonly length: number;
  readonly text: string;
}

/**
 * Adds proposals to the text of a presage.yaml. The document says where; what stands there already stays as it is, to
 * the last blank and comment.
 */
export function mergeProposals(text: string, proposals: readonly ProposedType[]): Merged {
  const document = parseDocument(text);
  const types = document.get('types', true);
  const edits: Edit[] = [];
  const added: string[] = [];
  const skipped: string[] = [];

  const fresh = proposals.filter(({ isDeclared }) => !isDeclared);
  const edit =
    fresh.length === 0 ? null : typesEdit(text, types as Node | undefined, fresh, isMap(document.contents));
  if (edit !== null) {
    edits.push(edit);
    added.push(...fresh.map(({ type }) => type));
  } else skipped.push(...fresh.map(({ type }) => `${type} (types is written in braces)`));

  for (const { type, properties } of proposals.filter(({ isDeclared }) => isDeclared)) {
    const certain = properties.filter((property) => property.type !== null);
    if (certain.length === 0) continue;
    const declared = isMap(types) ? types.get(type, true) : undefined;
    const change = isMap(declared) ? propertiesEdit(text, declared, certain) : null;
    const names = certain.map(({ name }) => name);
    if (change === null)
      skipped.push(`${type}: ${names.join(', ')} (its properties are shared or not written out)`);
    else {
      edits.push(change);
      added.push(...names.map((name) => `${type}.${name}`));
    }
  }
  edits.sort((a, b) => b.at - a.at);
  const merged = edits.reduce(
    (all, { at, length, text: put }) => all.slice(0, at) + put + all.slice(at + length),
    text,
  );
  return { text: merged, added, skipped };
}

function typesEdit(
  text: string,
  types: Node | undefined,
  fresh: readonly ProposedType[],
  isRootMap: boolean,
): Edit | null {
  const rendered = renderProposals(fresh).split('\n').slice(1).join('\n').trimEnd();
  if (types === undefined) {
    if (!isRootMap) return null;
    const end = text.trimEnd().length;
    return { at: end, length: text.length - end, text: `\n\ntypes:\n${rendered}\n` };
  }
  const isEmpty = (isMap(types) && types.items.length === 0) || (isScalar(types) && types.value === null);
  if (isEmpty) {
    const [from = 0, to = 0] = types.range ?? [];
    const start = text.slice(0, from).trimEnd().length;
    return { at: start, length: Math.max(to, from) - start, text: `\n${rendered}` };
  }
  if (!isMap(types) || types.flow === true || types.anchor !== undefined) return null;
  return {
    at: endOfLast(text, types),
    length: 0,
    text: `\n${indented(rendered, indentOf(text, types) - 2)}`,
  };
}

function propertiesEdit(text: string, type: YAMLMap, certain: readonly ProposedProperty[]): Edit | null {
  const properties = type.get('properties', true);
  const listed = certain.map(({ name, type: found }) => `${keyText(name)}: ${found}`).join(', ');
  if (properties === undefined) {
    if (type.anchor !== undefined) return null;
    if (type.flow === true) return insideBraces(type, text, `properties: { ${listed} }`);
    const lines = `  properties:\n${linesOf(certain, '    ')}`;
    return { at: endOfLast(text, type), length: 0, text: `\n${indented(lines, indentOf(text, type) - 2)}` };
  }
  // An alias, or what others refer to: adding here would declare it for other types as well.
  if (!isMap(properties) || properties.anchor !== undefined) return null;
  if (properties.flow === true) return insideBraces(properties, text, listed);
  if (properties.items.length === 0) return null;
  const indent = ' '.repeat(indentOf(text, properties));
  return { at: endOfLast(text, properties), length: 0, text: `\n${linesOf(certain, indent)}` };
}

const linesOf = (certain: readonly ProposedProperty[], indent: string): string =>
  certain
    .map(({ name, type, comment }) => `${indent}${keyText(name)}: ${type} # ${oneLine(comment)}`)
    .join('\n');

/** Before the closing brace, and before the blank that may stand there. */
function insideBraces(map: YAMLMap, text: string, listed: string): Edit {
  const brace = (map.range?.[1] ?? 1) - 1;
  const before = text.slice(0, brace).trimEnd();
  const isEmpty = map.items.length === 0;
  const separator = isEmpty ? ' ' : before.endsWith(',') ? ' ' : ', ';
  const blank = isEmpty ? ' ' : '';
  return { at: before.length, length: 0, text: `${separator}${listed}${blank}` };
}

/** The end of the line on which a block map's last value ends; comments that follow are about what comes next. */
function endOfLast(text: string, map: YAMLMap): number {
  let node: Node = map;
  while ((isMap(node) || isSeq(node)) && node.flow !== true && node.items.length > 0) {
    const last: unknown = node.items.at(-1);
    const inner = isPair(last) ? (last.value ?? last.key) : last;
    if (!isNode(inner)) break;
    node = inner;
  }
  const end = text.slice(0, node.range?.[1] ?? text.length).trimEnd().length;
  const newline = text.indexOf('\n', end);
  return newline === -1 ? text.length : newline;
}

/** Column of a block map's keys. */
function indentOf(text: string, map: YAMLMap): number {
  const start = (map.items[0]?.key as Node | undefined)?.range?.[0] ?? 0;
  return start - (text.lastIndexOf('\n', start - 1) + 1);
}

/** Lines with that many more blanks before them; only \n ends a line in YAML, other breaks can stand in a name. */
const indented = (lines: string, more: number): string =>
  more <= 0
    ? lines
    : lines
        .split('\n')
        .map((line) => (line === '' ? line : ' '.repeat(more) + line))
        .join('\n');

/** A key that YAML reads as this text, in braces or not. */
const keyText = (name: string): string =>
  /^[A-Za-z_][\w-]*$/.test(name) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(name)
    ? name
    : JSON.stringify(name);
