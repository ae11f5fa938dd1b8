import type { ASTNode } from '@marcbachmann/cel-js';
import type { CelType, ExpressionNames } from './expression-names.ts';
import type { Read } from './expression-read.ts';
import { quote } from './problems.ts';
import { nearest } from './suggest.ts';

/** `event.cart["total"]`: a name and the keys that follow it. */
export interface Path {
  readonly root: string;
  readonly keys: readonly string[];
}

interface NameProblem {
  readonly problem: string;
  readonly suggestion?: string | undefined;
}

type Found = Omit<Read, 'variable'>;

/** The path that a node is, or null when it is something else (a call, an index that is computed). */
export function pathOf(node: ASTNode): Path | null {
  if (node.op === 'id') return { root: node.args, keys: [] };
  if (node.op !== '.' && node.op !== '[]') return null;
  const [receiver, key] = node.args;
  const name =
    typeof key === 'string' ? key : key.op === 'value' && typeof key.args === 'string' ? key.args : null;
  const parent = name === null ? null : pathOf(receiver);
  return parent === null || name === null ? null : { root: parent.root, keys: [...parent.keys, name] };
}

/**
 * What a path takes from the scope, or why it can't. null: nothing as a whole; it is no name of the scope, or its
 * first part is and the rest is for the type checker.
 */
export function readAt(
  path: Path,
  names: ExpressionNames,
  asksPresence: boolean,
): Found | NameProblem | null {
  const type = asksPresence ? 'bool' : undefined;
  switch (path.root) {
    case 'event':
      return readEvent(path, names, asksPresence);
    case 'action':
      return readAction(path, names, asksPresence);
    case 'context': {
      if (!names.context) return { problem: 'context is not known here; it is sent with a decide request' };
      const [name] = path.keys;
      if (name === undefined) return { problem: 'expected context.<name>' };
      return found(path, 'context', 1, type ?? 'dyn', asksPresence);
    }
    default: {
      const feature = names.features?.get(path.root);
      if (feature === undefined) return null;
      const isKeyed = feature === 'map<string, double>';
      if (path.keys.length > (isKeyed ? 1 : 0)) return null;
      return found(path, 'features', 0, type ?? (path.keys.length === 1 ? 'double' : feature), asksPresence);
    }
  }
}

function readEvent(path: Path, names: ExpressionNames, asksPresence: boolean): Found | NameProblem | null {
  if (names.event === null) {
    const why =
      names.action === null
        ? 'this is computed from other features'
        : "no trigger leads to this action's placements";
    return { problem: `there is no event here: ${why}` };
  }
  const [property] = path.keys;
  if (property === undefined) return { problem: 'expected event.<property>' };
  const declared = names.event.properties.get(property);
  if (declared === undefined && !names.event.isOpen) {
    const near = nearest(property, names.event.properties.keys());
    return {
      problem: `no event type that is read here declares the property ${quote(property)}: add it to the type's properties, or read another`,
      suggestion: near === undefined ? undefined : written('event', [near]),
    };
  }
  const type = declared ?? 'dyn';
  const goesDeeper = path.keys.length > 1;
  if (goesDeeper && type !== 'dyn' && type !== 'map') return null;
  return found(path, 'event', 1, asksPresence ? 'bool' : goesDeeper ? 'dyn' : type, asksPresence);
}

function readAction(path: Path, names: ExpressionNames, asksPresence: boolean): Found | NameProblem | null {
  if (names.action === null) return { problem: 'there is no action here' };
  const [attribute] = path.keys;
  if (attribute === undefined) return { problem: 'expected action.<attribute>' };
  const type = names.action.get(attribute);
  if (type === undefined) {
    const near = nearest(attribute, names.action.keys());
    return {
      problem: `this action has no attribute ${quote(attribute)}`,
      suggestion: near === undefined ? undefined : written('action', [near]),
    };
  }
  if (path.keys.length > 1) return null;
  return found(path, 'action', 1, asksPresence ? 'bool' : type, asksPresence);
}

/** `own`: how many keys belong to the name itself: one for `event.price`, none for a feature. */
function found(path: Path, root: Read['root'], own: number, type: CelType, asksPresence: boolean): Found {
  return {
    root,
    keys: root === 'features' ? [path.root, ...path.keys] : path.keys,
    asksPresence,
    name: root === 'features' ? keyedName(path) : written(path.root, path.keys),
    origin: written(path.root, path.keys.slice(0, own)),
    type,
  };
}

function keyedName(path: Path): string {
  return path.root + path.keys.map((key) => `[${JSON.stringify(key)}]`).join('');
}

function written(root: string, keys: readonly string[]): string {
  return (
    root + keys.map((key) => (/^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`)).join('')
  );
}

/** The name of a keyed feature that a computed key looks into, or null when the node is none. */
export function keyedFeatureOf(
  node: ASTNode,
  names: ExpressionNames,
  bindings: ReadonlyMap<string, string>,
): string | null {
  if (node.op !== 'id' || bindings.has(node.args)) return null;
  return names.features?.get(node.args) === 'map<string, double>' ? node.args : null;
}

/** What to say about a name that is nothing at all. */
export function resolveName(
  name: string,
  names: ExpressionNames,
): { message: string; suggestion?: string | undefined } {
  if (names.features === null) return { message: `expected event.<property> but found ${quote(name)}` };
  const property = names.event?.properties.has(name) === true ? `event.${name}` : undefined;
  return {
    message: `there is no feature ${quote(name)}`,
    suggestion: property ?? nearest(name, [...names.features.keys(), 'event', 'action', 'context']),
  };
}
