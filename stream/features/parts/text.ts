/** Texts kept in state (values, keys, ids) are cut to this many UTF-16 units, so that state stays bounded. */
export const longestText = 256;

const surrogate = /[\ud800-\udfff]/;

/** The text as state keeps it: cut to `longestText`, and well-formed, so that UTF-8 gives back exactly the same. */
export function keptText(text: string): string {
  const cut = text.length > longestText ? text.slice(0, longestText) : text;
  return surrogate.test(cut) ? Buffer.from(cut).toString() : cut;
}

/** A property's value as text: strings as they are, numbers and booleans as JavaScript writes them; else null. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'string') return keptText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : null;
  return typeof value === 'boolean' ? String(value) : null;
}

/** Order of code points, which is the order of UTF-8 bytes and so also that of databases. Negative: a before b. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return byCodePoint(left) - byCodePoint(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all other units, though their own numbers are lower than U+E000. */
function byCodePoint(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
