/** Names by their bytes: which of some fixed names stands between two positions. */
export class Names {
  readonly #byLength: { readonly bytes: Buffer; readonly index: number }[][] = [];

  constructor(names: readonly string[]) {
    for (const [index, name] of names.entries()) {
      const bytes = Buffer.from(name);
      const same = this.#byLength[bytes.length] ?? [];
      this.#byLength[bytes.length] = same;
      same.push({ bytes, index });
    }
    for (let i = 0; i < this.#byLength.length; i++) this.#byLength[i] ??= [];
  }

  /** The name's index, or -1. */
  indexOf(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from;
    if (length >= this.#byLength.length) return -1;
    const candidates = this.#byLength[length] as { readonly bytes: Buffer; readonly index: number }[];
    for (let c = 0; c < candidates.length; c++) {
      const { bytes: name, index } = candidates[c] as { readonly bytes: Buffer; readonly index: number };
      let i = 0;
      while (i < length && name[i] === bytes[from + i]) i++;
      if (i === length) return index;
    }
    return -1;
  }
}
