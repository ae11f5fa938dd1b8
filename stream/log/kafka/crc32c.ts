/**
 * CRC-32C (Castagnoli), as Kafka checks record batches with; node:zlib has only CRC-32. Slices of eight bytes: one
 * table look-up a byte without waiting for the one before (measured: 0.4 -> 0.9 GB/s).
 */
const polynomial = 0x82f63b78;
const slices = 8;

/** Table `k` (256 entries from `k * 256` on): the effect of a byte that `k` bytes follow. */
const tables = makeTables();

function makeTables(): Int32Array {
  const made = new Int32Array(slices * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial;
    made[byte] = crc;
  }
  for (let i = 256; i < made.length; i++) {
    const before = made[i - 256] ?? 0;
    made[i] = (before >>> 8) ^ (made[before & 0xff] ?? 0);
  }
  return made;
}

/** CRC-32C of the bytes from `from` to before `to`, as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  const t = tables;
  let crc = -1;
  let at = from;
  for (const last = to - slices; at <= last; at += slices) {
    crc ^= b(bytes, at) | (b(bytes, at + 1) << 8) | (b(bytes, at + 2) << 16) | (b(bytes, at + 3) << 24);
    crc =
      w(t, 0x700 | (crc & 0xff)) ^
      w(t, 0x600 | ((crc >>> 8) & 0xff)) ^
      w(t, 0x500 | ((crc >>> 16) & 0xff)) ^
      w(t, 0x400 | (crc >>> 24)) ^
      w(t, 0x300 | b(bytes, at + 4)) ^
      w(t, 0x200 | b(bytes, at + 5)) ^
      w(t, 0x100 | b(bytes, at + 6)) ^
      w(t, b(bytes, at + 7));
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ w(t, (crc ^ b(bytes, at)) & 0xff);
  return ~crc >>> 0;
}

const b = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
const w = (words: Int32Array, at: number): number => words[at] ?? 0;
