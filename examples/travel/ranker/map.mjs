import event from '../map.mjs';

/** As ../map.mjs, and when: seconds modulo 2^24 (194 days), since the inputs of a model are float32. */
export default function map(row) {
  const { properties, ...rest } = event(row);
  return { ...rest, properties: { ...properties, clock: Number(row.timestamp) % 2 ** 24 } };
}
