/**
 * Kafka's default partitioner hash (org.apache.kafka.common.utils.Utils.murmur2, seed 0x9747b28c), as an unsigned
 * 31-bit number. Any producer in any language that uses Kafka's default partitioner puts a key where we look for it.
 */
export function murmur2(bytes: Uint8Array): number {
  const m = 0x5bd1e995;
  const length = bytes.length;
  let h = (0x9747b28c ^ length) | 0;
  const words = length >> 2;
  for (let i = 0; i < words; i++) {
    const at = i << 2;
    let k =
      byte(bytes, at) |
      (byte(bytes, at + 1) << 8) |
      (byte(bytes, at + 2) << 16) |
      (byte(bytes, at + 3) << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    k = Math.imul(k, m);
    h = Math.imul(h, m) ^ k;
  }
  const tail = words << 2;
  const rest = length & 3;
  if (rest === 3) h ^= byte(bytes, tail + 2) << 16;
  if (rest >= 2) h ^= byte(bytes, tail + 1) << 8;
  if (rest >= 1) {
    h ^= byte(bytes, tail);
    h = Math.imul(h, m);
  }
  h ^= h >>> 13;
  h = Math.imul(h, m);
  h ^= h >>> 15;
  return h & 0x7fffffff;
}

const byte = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

/** The partition of a raw key (userId if the event has one, else anonymousId). */
export function partitionOf(key: string, partitions: number): number {
  return murmur2(Buffer.from(key, 'utf8')) % partitions;
}
