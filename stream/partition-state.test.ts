import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodePartitionState, encodePartitionState, type PartitionState } from './partition-state.ts';

const folder = new URL('./fixtures/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.startsWith('partition-state-'));
const read = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
/** JSON has no infinity. */
const plain = ({ watermarks, stopped, activation, arrived, changed }: PartitionState) => ({
  watermarks: [...watermarks].map(([tenant, mark]) => [
    tenant,
    { ...mark, at: String(mark.at), leadTime: String(mark.leadTime) },
  ]),
  stopped: [...stopped],
  activation,
  arrived: [...arrived],
  changed,
});

describe('the stored state of a partition', () => {
  it('of every version ever written is here', () => {
    expect(files).toEqual([1, 2, 3].map((version) => `partition-state-${version}.json`));
  });

  it.each(files)('%s means what it meant', (file) => {
    const { stored, means } = read(file);
    expect(plain(decodePartitionState(Buffer.from(stored)))).toEqual(means);
  });

  it('is written as the newest version was', () => {
    const { stored } = read('partition-state-3.json');
    expect(encodePartitionState(decodePartitionState(Buffer.from(stored))).toString()).toBe(stored);
  });

  it('of another version is refused, not misread', () => {
    expect(() => decodePartitionState(Buffer.from('{"v":4,"watermarks":[],"stopped":[]}'))).toThrow(
      'version 4',
    );
  });
});
