/** Result of the last `hashText`: two 32-bit integers (signed). A register and not a return value: no garbage. */
export const hashed = { high: 0, low: 0 };

const spread = (k: number, by: number): number => (k << by) | (k >>> (32 - by));

function avalanche(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * 64-bit hash of a text's UTF-16 units into `hashed`, by MurmurHash3's mixing in two lanes that feed each other.
 * Stored in blobs: it must never change (a test holds known values).
 */
export function hashText(text: string): void {
  let high = 0x2f0b4c47;
  let low = 0x6d3f19a5;
  const length = text.length;
  for (let i = 0; i < length; i += 2) {
    const k = text.charCodeAt(i) | (i + 1 < length ? text.charCodeAt(i + 1) << 16 : 0);
    high ^= Math.imul(spread(Math.imul(k, 0x239b961b), 15), 0xab0e9789);
    high = (Math.imul((spread(high, 19) + low) | 0, 5) + 0x561ccd1b) | 0;
    low ^= Math.imul(spread(Math.imul(k, 0x38b34ae5), 17), 0xa1e38b93);
    low = (Math.imul((spread(low, 13) + high) | 0, 5) + 0x32ac3b17) | 0;
  }
  finish(high, low, length);
}

/** `hashText` of the ASCII text between two positions, without making the text: the same loop over bytes. */
export function hashAscii(bytes: Uint8Array, from: number, to: number): void {
  let high = 0x2f0b4c47;
  let low = 0x6d3f19a5;
  for (let i = from; i < to; i += 2) {
    const k = (bytes[i] as number) | (i + 1 < to ? (bytes[i + 1] as number) << 16 : 0);
    high ^= Math.imul(spread(Math.imul(k, 0x239b961b), 15), 0xab0e9789);
    high = (Math.imul((spread(high, 19) + low) | 0, 5) + 0x561ccd1b) | 0;
    low ^= Math.imul(spread(Math.imul(k, 0x38b34ae5), 17), 0xa1e38b93);
    low = (Math.imul((spread(low, 13) + high) | 0, 5) + 0x32ac3b17) | 0;
  }
  finish(high, low, to - from);
}

function finish(highLane: number, lowLane: number, length: number): void {
  let high = (highLane ^ length) + (lowLane ^ length);
  let low = (lowLane ^ length) + high;
  high = avalanche(high);
  low = avalanche(low);
  hashed.high = (high + low) | 0;
  hashed.low = (low + hashed.high) | 0;
}

/** 53 bits of `hashText` as a number: two of 1,000 values share one with a probability of 6e-11. */
export function hashNumber(text: string): number {
  hashText(text);
  return (hashed.high >>> 11) * 0x1_0000_0000 + (hashed.low >>> 0);
}
