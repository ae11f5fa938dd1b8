/** Lines of text as one run of UTF-8 bytes: no array of strings and no second copy, which the collector would feel. */
export interface Lines {
  add(line: string): void;
  readonly count: number;
  /** The bytes so far; valid until the next `add`. */
  bytes(): Buffer;
}

const firstBytes = 16 * 1024;

export function linesBuffer(): Lines {
  let buffer = Buffer.allocUnsafeSlow(firstBytes);
  let used = 0;
  let count = 0;
  return {
    add(line) {
      // A UTF-16 unit takes at most three bytes.
      const most = used + line.length * 3;
      if (most > buffer.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(most, buffer.length * 2));
        buffer.copy(larger, 0, 0, used);
        buffer = larger;
      }
      used += buffer.write(line, used, 'utf8');
      count++;
    },
    get count() {
      return count;
    },
    bytes: () => buffer.subarray(0, used),
  };
}
