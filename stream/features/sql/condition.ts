import { type ASTNode, parse } from '@marcbachmann/cel-js';
import { quoted } from './port.ts';
import { boolSql, isThereSql, numberSql, stringSql } from './properties.ts';

/**
 * A condition on an event (`where`) in SQL over `json`: true, false, or NULL where CEL finds a value missing or of the
 * wrong type, which `AND`, `OR` and `NOT` carry on as CEL does. null for what is not translated (loops, patterns,
 * conversions, comparisons of two properties...): such a condition is evaluated otherwise.
 */
export function conditionSql(text: string): string | null {
  try {
    return truth(parse(text).ast);
  } catch (error) {
    if (error instanceof NotTranslated) return null;
    throw error;
  }
}

class NotTranslated extends Error {}
const notTranslated = (): never => {
  throw new NotTranslated();
};

const arithmetic: ReadonlySet<string> = new Set(['+', '-', '*', '/']);

function truth(node: ASTNode): string {
  switch (node.op) {
    case '&&':
    case '||':
      return `(${truth(node.args[0])} ${node.op === '&&' ? 'AND' : 'OR'} ${truth(node.args[1])})`;
    case '!_':
      return `(NOT ${truth(node.args)})`;
    case '<':
    case '<=':
    case '>':
    case '>=':
      return `(${number(node.args[0])} ${node.op} ${number(node.args[1])})`;
    case '==':
      return equals(node.args[0], node.args[1]);
    case '!=':
      return `(NOT ${equals(node.args[0], node.args[1])})`;
    case 'in':
      return isIn(node.args[0], node.args[1]);
    case 'value':
      return typeof node.args === 'boolean' ? String(node.args) : notTranslated();
    case '.':
    case '[]':
      return boolSql(property(node));
    case 'call':
      return has(node.args[0], node.args[1]);
    case 'rcall':
      return textFunction(node.args[0], node.args[1], node.args[2]);
    default:
      return notTranslated();
  }
}

function number(node: ASTNode): string {
  if (node.op === 'value') return numeral(node.args);
  if (node.op === '.' || node.op === '[]') return numberSql(property(node));
  if (node.op === '-_') return `(-${number(node.args)})`;
  if (arithmetic.has(node.op)) {
    const [left, right] = node.args as [ASTNode, ASTNode];
    return `(${number(left)} ${node.op} ${number(right)})`;
  }
  return notTranslated();
}

const numeral = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'bigint' ? `toFloat64(${Number(value)})` : notTranslated();

/** A value of another type is another value; a missing one makes the whole missing. */
function equals(left: ASTNode, right: ASTNode): string {
  const literal = left.op === 'value' ? left : right;
  const other = literal === left ? right : left;
  if (literal.op !== 'value') return notTranslated();
  if (other.op !== '.' && other.op !== '[]') return `(${number(other)} = ${numeral(literal.args)})`;
  const path = property(other);
  const isThere = isThereSql(path);
  const value = literal.args;
  const same =
    typeof value === 'string'
      ? `${stringSql(path)} = ${quoted(value)}`
      : typeof value === 'boolean'
        ? `${boolSql(path)} = ${value}`
        : value === null
          ? 'false'
          : `${numberSql(path)} = ${numeral(value)}`;
  return `if(${isThere}, ifNull(${same}, false), NULL)`;
}

function isIn(node: ASTNode, list: ASTNode): string {
  if (list.op !== 'list' || (node.op !== '.' && node.op !== '[]')) return notTranslated();
  return `(${['false', ...list.args.map((item) => (item.op === 'value' ? equals(node, item) : notTranslated()))].join(' OR ')} OR if(${isThereSql(property(node))}, false, NULL))`;
}

function has(name: string, args: readonly ASTNode[]): string {
  const [argument] = args;
  return name === 'has' && argument !== undefined ? isThereSql(property(argument)) : notTranslated();
}

function textFunction(name: string, receiver: ASTNode, args: readonly ASTNode[]): string {
  const [argument] = args;
  if (argument?.op !== 'value' || typeof argument.args !== 'string') return notTranslated();
  const text = stringSql(property(receiver));
  switch (name) {
    case 'startsWith':
    case 'endsWith':
      return `${name}(${text}, ${quoted(argument.args)})`;
    case 'contains':
      return `(position(${text}, ${quoted(argument.args)}) > 0)`;
    default:
      return notTranslated();
  }
}

/** `event.cart.total` -> ['cart', 'total']. */
function property(node: ASTNode): readonly string[] {
  const keys: string[] = [];
  let at = node;
  while (at.op === '.' || at.op === '[]') {
    const [receiver, key] = at.args;
    if (typeof key === 'string') keys.unshift(key);
    else if (key.op === 'value' && typeof key.args === 'string') keys.unshift(key.args);
    else return notTranslated();
    at = receiver;
  }
  return at.op === 'id' && at.args === 'event' && keys.length > 0 ? keys : notTranslated();
}
