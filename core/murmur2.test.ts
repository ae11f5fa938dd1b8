import { describe, expect, it } from 'vitest';
import { murmur2 } from './murmur2.ts';

describe('murmur2', () => {
  // Fixtures of Apache Kafka's own UtilsTest, as (value & 0x7fffffff).
  const fixtures: ReadonlyArray<readonly [string, number]> = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ];
  it.each(fixtures)('puts %s where every Kafka client puts it', (key, signed) => {
    expect(murmur2(Buffer.from(key))).toBe(signed & 0x7fffffff);
  });
});
