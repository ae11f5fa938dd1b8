import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { Path } from './problems.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlProblem extends Position {
  readonly message: string;
}

/** A YAML document as plain data that remembers where each value stood. */
export interface YamlSource {
  readonly value: unknown;
  /**
   * Where the value at a path (or its key) stands; the nearest parent's key where there is no such value.
   * `offset` moves into a value that is written on one line without escapes, and is ignored otherwise.
   */
  locate(path: Path, at: 'key' | 'value', offset?: number): Position;
}

/** Parses YAML 1.2. Returns the document, or everything that is wrong with its syntax. */
export function readYaml(text: string): YamlSource | readonly YamlProblem[] {
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: true });
  const position = positionsIn(text);
  const faults = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  if (faults.length > 0) {
    // What follows the first break of syntax is only its echo; a key that is there twice breaks nothing.
    const broken = faults.findIndex(({ code }) => code !== 'DUPLICATE_KEY');
    return faults.slice(0, broken === -1 ? faults.length : broken + 1).map(({ code, pos, message }) => ({
      ...position(pos[0]),
      message: code === 'MULTIPLE_DOCS' ? 'a second document begins here' : firstSentence(message),
    }));
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Only aliases can fail here: unknown anchors, or an expansion that explodes.
    return [
      {
        ...position(startOf(brokenAlias(document))),
        message: firstSentence(error instanceof Error ? error.message : ''),
      },
    ];
  }
  return {
    value,
    locate(path, at, offset) {
      const found = find(document, path);
      if (at === 'key' && found.key !== null) return position(startOf(found.key));
      if (found.isComplete && found.value !== null) {
        return position(
          startOf(found.value) + (offset === undefined ? 0 : offsetInside(found.value, text, offset)),
        );
      }
      return position(startOf(found.key) || 0);
    },
  };
}

/** Line and column of an offset. The library's own counter loses lines once the syntax is broken. */
function positionsIn(text: string): (offset: number) => Position {
  const starts = [0];
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return (offset) => {
    const within = Math.min(offset, text.length);
    const line = starts.findLastIndex((start) => start <= within) + 1;
    return { line, column: within - (starts[line - 1] ?? 0) + 1 };
  };
}

function brokenAlias(document: Document): Node | null {
  let found: Node | null = null;
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      found = alias;
      return visit.BREAK;
    },
  });
  return found;
}

interface Found {
  readonly key: Node | null;
  readonly value: Node | null;
  /** false: the path led to nothing, and key is of the deepest parent that exists. */
  readonly isComplete: boolean;
}

function find(document: Document, path: Path): Found {
  let key: Node | null = null;
  let value: Node | null = resolve(document.contents, document);
  for (const part of path) {
    if (isMap(value)) {
      const pair = value.items.find((item) => isPair(item) && keyText(item.key) === String(part));
      if (pair === undefined) return { key, value, isComplete: false };
      key = pair.key as Node | null;
      value = resolve(pair.value as Node | null, document);
    } else if (isSeq(value)) {
      const item = value.items[Number(part)] as Node | undefined;
      if (item === undefined) return { key, value, isComplete: false };
      key = item;
      value = resolve(item, document);
    } else {
      return { key, value, isComplete: false };
    }
  }
  return { key, value, isComplete: true };
}

function resolve(node: Node | null, document: Document): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value ?? '') : String(key);
}

function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

/** Only where the text of a value is its own source, character for character, does an offset mean a column. */
function offsetInside(node: Node, text: string, offset: number): number {
  if (!isScalar(node) || typeof node.value !== 'string' || node.range == null) return 0;
  const written = text.slice(node.range[0], node.range[1]);
  if (written === node.value) return offset;
  const isQuoted = written.slice(1, -1) === node.value && /^["']/.test(written);
  return isQuoted ? offset + 1 : 0;
}

function firstSentence(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/[.:]\s*$/, '');
}
