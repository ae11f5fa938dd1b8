import type { ASTNode } from '@marcbachmann/cel-js';
import {
  functionNames,
  keyedValue,
  macrosThatBind,
  typeNames,
  wholeNumberFunctions,
} from './expression-environment.ts';
import type { ExpressionNames } from './expression-names.ts';
import type { Read } from './expression-read.ts';
import { keyedFeatureOf, type Path, pathOf, readAt, resolveName } from './expression-resolve.ts';
import { nearest } from './suggest.ts';

export interface ExpressionProblem {
  readonly message: string;
  /** Where in the expression's text, in characters from its beginning. */
  readonly offset: number;
  readonly suggestion?: string | undefined;
}

export interface Translation {
  /** What was translated. */
  readonly root: ASTNode;
  /** The expression as the library runs it. */
  readonly text: string;
  /** Every value it takes from its scope, once each. */
  readonly reads: readonly Read[];
  readonly problems: readonly ExpressionProblem[];
  /** Whether some of its reads may never be reached (`||`, `?:`, a loop over a list that is empty). */
  readonly hasBranches: boolean;
  /** The part of the original that became this part of the translation. */
  original(start: number, end: number): ASTNode;
}

/**
 * Rewrites an expression so that the library evaluates it with numbers that are all double (people write 50, JSON
 * has only doubles, CEL has no `double * int`), and with one flat variable for each value it reads, so that a
 * missing one is known by its name and no scope is built or copied for an evaluation.
 * Whole numbers stay ints only where CEL wants an int: as a list index and as an argument.
 */
export function translate(root: ASTNode, names: ExpressionNames): Translation {
  const reads = new Map<string, Read>();
  const problems: ExpressionProblem[] = [];
  const marks: { readonly start: number; readonly end: number; readonly node: ASTNode }[] = [];
  let text = '';
  let hasBranches = false;

  const bindings = new Map<string, string>();
  let bound = 0;

  const problem = (node: ASTNode, message: string, suggestion?: string): void => {
    problems.push({ message, offset: node.start, suggestion });
  };

  const use = (read: Omit<Read, 'variable'>): void => {
    const key = `${read.asksPresence ? 'has ' : ''}${read.name}`;
    const known = reads.get(key);
    const variable = known?.variable ?? `r${reads.size}`;
    if (known === undefined) reads.set(key, { ...read, variable });
    text += variable;
  };

  /** Prints a value of the scope if the path is one. false: it is not rooted in the scope, or goes on beyond it. */
  const printRead = (node: ASTNode, path: Path, asksPresence: boolean): boolean => {
    if (bindings.has(path.root)) return false;
    const found = readAt(path, names, asksPresence);
    if (found === null) return false;
    if ('problem' in found) problem(node, found.problem, found.suggestion);
    else use(found);
    return true;
  };

  const printName = (node: ASTNode, name: string): void => {
    const variable = bindings.get(name);
    if (variable !== undefined) {
      text += variable;
      return;
    }
    if (printRead(node, { root: name, keys: [] }, false)) return;
    if (typeNames.has(name)) {
      text += name;
      return;
    }
    const { message, suggestion } = resolveName(name, names);
    problem(node, message, suggestion);
  };

  const printList = (nodes: readonly ASTNode[], wantsInt: boolean): void => {
    nodes.forEach((node, index) => {
      if (index > 0) text += ', ';
      print(node, wantsInt);
    });
  };

  const printAccess = (node: ASTNode, receiver: ASTNode, key: string | ASTNode): void => {
    const path = pathOf(node);
    if (path !== null && printRead(node, path, false)) return;
    const keyed = typeof key === 'string' ? null : keyedFeatureOf(receiver, names, bindings);
    if (keyed !== null && typeof key !== 'string') {
      text += `${keyedValue}(`;
      print(receiver, false);
      text += ', ';
      print(key, false);
      text += `, ${JSON.stringify(keyed)})`;
      return;
    }
    print(receiver, false);
    if (typeof key === 'string') text += `.${key}`;
    else {
      text += '[';
      print(key, true);
      text += ']';
    }
  };

  const printHas = (node: ASTNode, args: readonly ASTNode[]): void => {
    const [argument] = args;
    const path = argument === undefined ? null : pathOf(argument);
    if (argument === undefined || args.length > 1 || path === null) {
      problem(node, 'expected has() of one name, such as has(event.price) or has(cart_value)');
    } else if (bindings.has(path.root)) {
      text += 'has(';
      print(argument, false);
      text += ')';
    } else if (!printRead(argument, path, true)) printName(argument, path.root);
  };

  const printCall = (
    node: ASTNode,
    name: string,
    receiver: ASTNode | null,
    args: readonly ASTNode[],
  ): void => {
    if (!functionNames.has(name)) {
      problem(node, `there is no function ${name}()`, nearest(name, functionNames));
      return;
    }
    if (name === 'matches') checkPattern(node, args);
    if (receiver !== null) {
      print(receiver, false);
      text += '.';
    }
    text += `${name}(`;
    if (receiver !== null && macrosThatBind.has(name)) printMacro(node, args);
    else printList(args, true);
    text += ')';
  };

  const printMacro = (node: ASTNode, args: readonly ASTNode[]): void => {
    const [variable, ...rest] = args;
    if (variable?.op !== 'id') {
      problem(node, 'expected the name of a variable first, as in items.exists(item, item.price > 10)');
      return;
    }
    hasBranches = true;
    // Nested loops over lists that strangers send: two deep is the bound.
    if (bindings.size >= 2) problem(node, 'expected loops at most two deep');
    const outer = bindings.get(variable.args);
    const name = `v${bound++}`;
    bindings.set(variable.args, name);
    text += `${name}, `;
    printList(rest, false);
    if (outer === undefined) bindings.delete(variable.args);
    else bindings.set(variable.args, outer);
  };

  /** A pattern is fixed, so that it can be checked at load. */
  const checkPattern = (node: ASTNode, args: readonly ASTNode[]): void => {
    const pattern = args.at(-1);
    if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
      problem(node, 'expected the pattern of matches() to be written out as text');
      return;
    }
    try {
      new RegExp(pattern.args);
    } catch {
      problem(pattern, `${pattern.input.slice(pattern.start, pattern.end)} is not a regular expression`);
    }
  };

  const print = (node: ASTNode, wantsInt: boolean): void => {
    const start = text.length;
    hasBranches ||= node.op === '||' || node.op === '&&' || node.op === '?:';
    switch (node.op) {
      case 'value':
        text += literal(node.args, node.input.slice(node.start, node.end), wantsInt);
        break;
      case 'id':
        printName(node, node.args);
        break;
      case '.':
      case '[]':
        printAccess(node, node.args[0], node.args[1]);
        break;
      case 'call':
      case 'rcall': {
        const [name] = node.args;
        const receiver = node.op === 'rcall' ? node.args[1] : null;
        const args = node.op === 'rcall' ? node.args[2] : node.args[1];
        if (name === 'has' && receiver === null) printHas(node, args);
        else if (wholeNumberFunctions.has(name) && !wantsInt) {
          text += 'double(';
          printCall(node, name, receiver, args);
          text += ')';
        } else printCall(node, name, receiver, args);
        break;
      }
      case 'list':
        text += '[';
        printList(node.args, false);
        text += ']';
        break;
      case 'map':
        text += '{';
        node.args.forEach(([key, value], index) => {
          if (index > 0) text += ', ';
          print(key, false);
          text += ': ';
          print(value, false);
        });
        text += '}';
        break;
      case '!_':
      case '-_':
        text += `(${node.op[0]}`;
        print(node.args, false);
        text += ')';
        break;
      case '?:':
        text += '(';
        print(node.args[0], false);
        text += ' ? ';
        print(node.args[1], false);
        text += ' : ';
        print(node.args[2], false);
        text += ')';
        break;
      case '.?':
      case '[?]':
        problem(node, `expected . or [] but found ${node.op}`);
        break;
      default:
        text += '(';
        print(node.args[0], false);
        text += ` ${node.op} `;
        print(node.args[1], false);
        text += ')';
    }
    marks.push({ start, end: text.length, node });
  };

  print(root, false);
  return {
    root,
    text,
    hasBranches,
    reads: [...reads.values()],
    problems,
    // Marks are in post-order: the first that encloses is the innermost.
    original: (start, end) => marks.find((mark) => mark.start <= start && end <= mark.end)?.node ?? root,
  };
}

function literal(value: unknown, written: string, wantsInt: boolean): string {
  if (typeof value === 'bigint') return wantsInt ? written : double(Number(value));
  const isUnsigned = /^[0-9].*u$/i.test(written);
  return isUnsigned && !wantsInt ? double(Number(written.slice(0, -1))) : written;
}

/** A number as CEL writes a double. */
function double(value: number): string {
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
