import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../tests/support/clock.ts';
import {
  cachedKeys,
  type KeyStorage,
  type KeyStore,
  makeKeyStore,
  memoryKeyStorage,
  stateOfKey,
} from './index.ts';

const start = Date.UTC(2026, 0, 1);
let clock = manualClock(start);
let storage: KeyStorage;
let keys: KeyStore;
beforeEach(() => {
  clock = manualClock(start);
  storage = memoryKeyStorage();
  keys = makeKeyStore({ storage, clock, randomBytes: (n) => randomBytes(n) });
});
const secret = (tenant = 'acme') =>
  keys.create({ tenant, kind: 'secret', scopes: ['write', 'read'], name: 'backend' });

describe('keys', () => {
  it('have texts that tell their kind and are never stored', async () => {
    const made = await secret();
    const open = await keys.create({ tenant: 'acme', kind: 'public' });
    expect(made.key).toMatch(/^sk_[A-Za-z0-9_-]{43}$/);
    expect(open.key).toMatch(/^pk_[A-Za-z0-9_-]{43}$/);
    const everything = JSON.stringify([...(await storage.all())]);
    expect(everything).not.toContain(made.key.slice(3));
    expect(everything).not.toContain(made.key.slice(8));
    expect(await keys.find(made.key)).toEqual(made.info);
    expect(await keys.find(`${made.key.slice(0, -1)}_`)).toBeUndefined();
    expect(await keys.find('nonsense')).toBeUndefined();
  });

  it('have scopes: a public one write alone, a secret one what it is given', async () => {
    expect((await keys.create({ tenant: 'acme', kind: 'public' })).info.scopes).toEqual(['write']);
    await expect(keys.create({ tenant: 'acme', kind: 'public', scopes: ['read'] })).rejects.toMatchObject({
      code: 'bad_scopes',
    });
    await expect(keys.create({ tenant: 'acme', kind: 'secret' })).rejects.toMatchObject({
      code: 'bad_scopes',
    });
  });

  it('are listed by tenant, revoked ones too', async () => {
    const first = await secret();
    clock.set(start + 1);
    const second = await secret('globex');
    await keys.revoke(first.info.id);
    expect((await keys.list()).map(({ id }) => id)).toEqual([first.info.id, second.info.id]);
    expect(await keys.list('acme')).toMatchObject([{ id: first.info.id, revokedAt: start + 1 }]);
  });

  it('stop at once when revoked, and revoking again changes nothing', async () => {
    const { info, key } = await secret();
    await keys.revoke(info.id);
    clock.set(start + 5_000);
    expect((await keys.revoke(info.id)).revokedAt).toBe(start);
    expect(stateOfKey((await keys.find(key))!, clock.now())).toBe('key_revoked');
  });

  it('hand over to a successor: both work for the overlap, then the new one alone', async () => {
    const old = await secret();
    const next = await keys.rotate(old.info.id, { overlapMs: 1_000 });
    expect(next.info).toMatchObject({
      tenant: 'acme',
      kind: 'secret',
      scopes: ['write', 'read'],
      name: 'backend',
    });
    const state = async (key: string) => stateOfKey((await keys.find(key))!, clock.now());
    expect([await state(old.key), await state(next.key)]).toEqual(['works', 'works']);
    expect((await keys.find(old.key))?.replacedBy).toBe(next.info.id);
    clock.set(start + 1_000);
    expect([await state(old.key), await state(next.key)]).toEqual(['key_expired', 'works']);
    await expect(keys.rotate(old.info.id)).rejects.toMatchObject({ code: 'key_expired' });
  });

  it('keep the shorter overlap when rotated twice', async () => {
    const old = await secret();
    await keys.rotate(old.info.id, { overlapMs: 1_000 });
    await keys.rotate(old.info.id);
    expect((await keys.find(old.key))?.expiresAt).toBe(start + 1_000);
  });

  it('are out of reach of other tenants', async () => {
    const { info } = await secret();
    await expect(keys.revoke(info.id, { tenant: 'globex' })).rejects.toMatchObject({ code: 'key_not_found' });
    await expect(keys.rotate(info.id, { tenant: 'globex' })).rejects.toMatchObject({ code: 'key_not_found' });
    expect((await keys.list('acme'))[0]?.revokedAt).toBeNull();
  });

  it('stay revoked when another process rotates at the same moment', async () => {
    const { info, key } = await secret();
    let meanwhile: (() => Promise<unknown>) | null = () => keys.revoke(info.id);
    const racing = makeKeyStore({
      clock,
      randomBytes: (n) => randomBytes(n),
      storage: {
        ...storage,
        swap: async (...args) => {
          const run = meanwhile;
          meanwhile = null;
          await run?.();
          return storage.swap(...args);
        },
      },
    });
    await racing.rotate(info.id);
    expect(stateOfKey((await keys.find(key))!, clock.now())).toBe('key_revoked');
  });
});

describe('the cache of keys', () => {
  it('asks once a second for the same key, so that a revocation elsewhere is seen within it', async () => {
    const { key, info } = await secret();
    let asked = 0;
    const find = cachedKeys(
      {
        find: (text) => {
          asked++;
          return keys.find(text);
        },
      },
      clock,
    );
    await Promise.all([find(key), find(key), find(key)]);
    expect(asked).toBe(1);
    await keys.revoke(info.id);
    clock.set(start + 899);
    expect((await find(key))?.revokedAt).toBeNull();
    clock.set(start + 999);
    expect((await find(key))?.revokedAt).toBe(start);
    expect(asked).toBe(2);
  });

  it('does not remember a failure, and lets no one in by an old answer while the storage is away', async () => {
    const { key } = await secret();
    let isAway = false;
    const find = cachedKeys(
      { find: (text) => (isAway ? Promise.reject(new Error('away')) : keys.find(text)) },
      clock,
    );
    await find(key);
    isAway = true;
    clock.set(start + 1_000);
    await expect(find(key)).rejects.toThrow('away');
    isAway = false;
    expect(await find(key)).toBeDefined();
  });
});
