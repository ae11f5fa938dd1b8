/** Names as small numbers, in the order of their first appearance. */
export class Names {
  readonly list: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.list.length;
      this.list.push(name);
      this.#numbers.set(name, number);
    }
    return number;
  }

  /** -1: it has not appeared. */
  find(name: string): number {
    return this.#numbers.get(name) ?? -1;
  }
}
