import { describe, expect, it } from 'vitest';
import type { KeyStorage } from './storage.ts';

/** What every key storage does. `make` gives an empty one. */
export function keyStorageContract(name: string, make: () => Promise<KeyStorage>): void {
  describe(`key storage: ${name}`, () => {
    it('gives back what was added, and null for the rest', async () => {
      const storage = await make();
      expect(await storage.add('h1', 'one')).toBe(true);
      expect(await storage.get('h1')).toBe('one');
      expect(await storage.get('h2')).toBeNull();
    });

    it('never replaces by adding', async () => {
      const storage = await make();
      await storage.add('h1', 'one');
      expect(await storage.add('h1', 'two')).toBe(false);
      expect(await storage.get('h1')).toBe('one');
    });

    it('lists all', async () => {
      const storage = await make();
      await storage.add('h1', 'one');
      await storage.add('h2', 'two');
      expect(await storage.all()).toEqual(
        new Map([
          ['h1', 'one'],
          ['h2', 'two'],
        ]),
      );
    });

    it('swaps only what it expects, and removes by null', async () => {
      const storage = await make();
      await storage.add('h1', 'one');
      expect(await storage.swap('h1', 'other', 'two')).toBe(false);
      expect(await storage.swap('none', 'one', 'two')).toBe(false);
      expect(await storage.get('h1')).toBe('one');
      expect(await storage.swap('h1', 'one', 'two')).toBe(true);
      expect(await storage.get('h1')).toBe('two');
      expect(await storage.swap('h1', 'two', null)).toBe(true);
      expect(await storage.get('h1')).toBeNull();
    });

    it('lets exactly one of many simultaneous swaps win', async () => {
      const storage = await make();
      await storage.add('h1', 'start');
      const won = await Promise.all(
        Array.from({ length: 20 }, (_, i) => storage.swap('h1', 'start', `w${i}`)),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await storage.get('h1')).toBe(`w${won.indexOf(true)}`);
    });
  });
}
