import { longestText } from '../parts/text.ts';
import { quoted } from './port.ts';

/**
 * Properties of an event in SQL. `json` is a column that holds them as JavaScript wrote them, made readable for
 * ClickHouse by `readable`.
 */
export const json = 'json';

/**
 * ClickHouse takes a whole document for invalid where one of its integers needs more than 64 bits or one of its texts
 * has half a surrogate pair, both of which JavaScript writes. The first becomes a decimal, the second U+FFFD.
 */
export function readable(properties: string): string {
  const half = quoted('((?:^|[^\\\\])(?:\\\\\\\\)*)\\\\ud[89a-f][0-9a-f]{2}');
  const whole = (text: string): string => `replaceRegexpAll(${text}, ${half}, ${quoted('\\1\\\\ufffd')})`;
  const wide = `replaceRegexpAll(${properties}, ${quoted('([\\[:,]-?[0-9]{19,})([,\\]}])')}, ${quoted('\\1.0\\2')})`;
  // Twice: a match takes the character before it, which may be the last of another half.
  return `if(isValidJSON(${properties}), ${properties}, ${whole(whole(wide))})`;
}

const raw = (path: readonly string[]): string => `JSONExtractRaw(${json}, ${path.map(quoted).join(', ')})`;
const isNumber = (path: readonly string[]): string => `match(${raw(path)}, '^[-0-9]')`;

/** Nullable(Float64): NULL for what is no number. */
export const numberSql = (path: readonly string[]): string =>
  `if(${isNumber(path)}, JSONExtractFloat(${json}, ${path.map(quoted).join(', ')}), NULL)`;

export const stringSql = (path: readonly string[]): string =>
  `if(startsWith(${raw(path)}, '"'), JSONExtractString(${json}, ${path.map(quoted).join(', ')}), NULL)`;

export const boolSql = (path: readonly string[]): string =>
  `multiIf(${raw(path)} = 'true', true, ${raw(path)} = 'false', false, NULL)`;

/** Whether there is a value; null is none. */
export const isThereSql = (path: readonly string[]): string => `${raw(path)} NOT IN ('', 'null')`;

/** Nullable(String): texts cut to what state keeps, numbers and booleans as JavaScript writes them. */
export function textSql(property: string): string {
  const text = raw([property]);
  return `multiIf(
    startsWith(${text}, '"'), ${cut(`JSONExtractString(${json}, ${quoted(property)})`)},
    match(${text}, '^[-0-9]'), replaceOne(replaceOne(${text}, 'e', 'e+'), 'e+-', 'e-'),
    ${text} IN ('true', 'false'), ${text}, NULL)`;
}

/** To UTF-16 units; a character of two units that the cut goes through becomes U+FFFD. */
function cut(text: string): string {
  const characters = `extractAll(${text}, '(?s).')`;
  const ends = `arrayCumSum(c -> if(length(c) = 4, 2, 1), ${characters})`;
  return `if(length(${text}) <= ${longestText}, ${text},
      arrayStringConcat(arrayMap((c, e) -> multiIf(e <= ${longestText}, c, e = ${longestText + 1} AND length(c) = 4, '\\xEF\\xBF\\xBD', ''), ${characters}, ${ends})))`;
}

/**
 * Nullable(Int64): the number's shortest decimal times 10^scale, rounded half away from zero; NULL for what is no
 * number, or too large for an amount (parts/decimal.ts).
 */
export function amountSql(property: string, scale: number): string {
  const text = raw([property]);
  const amount = amountOfText(text, `JSONExtractFloat(${json}, ${quoted(property)})`, scale);
  return `if(match(${text}, '^[-0-9]'), ${amount}, NULL)`;
}

/** The same of a number and its text. */
export function amountOfText(text: string, number: string, scale: number): string {
  const decimal = `toDecimal256OrNull(if(abs(${number}) < 1e17, ${text}, ''), 18)`;
  const size = `toInt256(abs(${decimal}) * ${10 ** scale} + toDecimal256('0.5', 1))`;
  return `if(${size} < 4503599627370496, toInt64(sign(${decimal}) * ${size}), NULL)`;
}
