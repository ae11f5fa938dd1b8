import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openShop, type Shop } from '../client/shop.fixture.ts';
import { patienceMs } from '../tests/support/patience.ts';
import { loadWorkspace } from '../workspace/index.ts';
import { simulate } from './simulate.ts';

const shopFolder = fileURLToPath(new URL('../examples/shop', import.meta.url));
const shopModule = join(shopFolder, 'simulate.mjs');
const until = (what: () => void) => vi.waitFor(what, { timeout: patienceMs, interval: 10 });
let shop: Shop;
let folder: string;
let stop: AbortController;
beforeEach(async () => {
  shop = await openShop();
  folder = await mkdtemp(join(tmpdir(), 'presage-simulate-'));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await shop.close();
  await rm(folder, { recursive: true });
});

const play = (options: Partial<Parameters<typeof simulate>[0]> = {}) =>
  simulate({
    address: shop.url,
    key: 'pk_shop',
    seed: 7,
    shoppers: 3,
    signal: stop.signal,
    module: shopModule,
    ...options,
  });
const moduleOf = async (text: string) => {
  const path = join(folder, `visit-${Math.random()}.mjs`);
  await writeFile(path, text);
  return path;
};

describe('simulated shoppers', () => {
  it('look at three products within seconds of the start, so that a first offer can come', async () => {
    const began = performance.now();
    const done = play();
    await until(() => {
      const viewers = shop.events
        .filter(({ event }) => event === 'product_viewed')
        .map((view) => view.anonymousId);
      expect(viewers.some((viewer) => viewers.filter((each) => each === viewer).length >= 3)).toBe(true);
    });
    expect(performance.now() - began).toBeLessThan(patienceMs / 2);
    stop.abort();
    await done;
  });

  it('say who they are, and send what the workspace declares', async () => {
    const workspace = await loadWorkspace(shopFolder);
    const done = play({ shoppers: 8, rate: 60 });
    await until(() => expect(shop.events.length).toBeGreaterThan(40));
    stop.abort();
    await done;
    for (const { anonymousId, type, event, properties } of shop.events) {
      expect(anonymousId).toMatch(/^sim-/);
      const declared = workspace.types.get(event ?? type);
      expect(declared?.check(properties ?? {})).toBeNull();
    }
  });

  it('see their offers and answer them', async () => {
    const done = play();
    await until(() => expect(shop.events.length).toBeGreaterThan(0));
    for (let i = 0; i < 8; i++)
      for (const anonymousId of new Set(shop.events.map((event) => event.anonymousId)))
        shop.rig.publish(`a:${anonymousId}`, { action: 'back_in_category' });
    await until(() => expect(shop.rig.log.of('$outcome').length).toBeGreaterThan(3));
    stop.abort();
    const { offers } = await done;
    expect(offers).toBeGreaterThan(3);
    expect(new Set(shop.rig.log.of('$exposure').map(({ id }) => id)).size).toBeGreaterThanOrEqual(offers);
  });

  it('do the same for the same seed', async () => {
    const module = await moduleOf(
      'export default function* ({ random }) { for (let i = 0; i < 5; i++) yield { track: "t", properties: { x: random() } }; }',
    );
    const run = async (seed: number) => {
      shop.events.length = 0;
      stop = new AbortController();
      const done = play({ module, seed, shoppers: 1, rate: 1_000 });
      await until(() => expect(shop.events.length).toBeGreaterThanOrEqual(5));
      stop.abort();
      await done;
      return shop.events.slice(0, 5).map(({ properties }) => properties);
    };
    const first = await run(1);
    const other = await run(2);
    expect(other).not.toEqual(first);
    // The ids repeat with the seed, as they should; the server here would take them for repeats.
    shop.forget();
    expect(await run(1)).toEqual(first);
  });

  it('keep to the rate together', async () => {
    const module = await moduleOf('export default function* () { for (;;) yield { track: "t" }; }');
    const began = performance.now();
    const done = play({ module, shoppers: 10, rate: 40 });
    await until(() => expect(shop.events.length).toBeGreaterThanOrEqual(40));
    expect(performance.now() - began).toBeGreaterThan(900);
    stop.abort();
    await done;
  });

  it('wait for a server that is away, and lose nothing', async () => {
    const module = await moduleOf(
      'export default function* () { for (const track of ["t0", "t1", "t2"]) yield { track }; yield { wait: 60000 }; }',
    );
    shop.isAway = true;
    const done = play({ module, shoppers: 1 });
    await until(() => expect(shop.refusals()).toBeGreaterThan(0));
    shop.isAway = false;
    await until(() => expect(shop.events.map(({ event }) => event)).toEqual(['t0', 't1', 't2']));
    stop.abort();
    await done;
  });
});

describe('a mistake in the module', () => {
  it.each([
    ['no default export', 'export const visit = 1;', /default export must be a generator function/],
    ['a syntax error', 'export default function* (', /cannot be loaded/],
    [
      'a step that is none',
      'export default function* () { yield { jump: 1 }; }',
      /yielded {"jump":1}; a step is/,
    ],
  ])('(%s) is told in one sentence with the path', async (_, text, sentence) => {
    const module = await moduleOf(text);
    const failure = play({ module });
    await expect(failure).rejects.toMatchObject({
      code: 'bad_simulation',
      message: expect.stringMatching(sentence),
    });
    await expect(failure).rejects.toThrow(module);
  });
});
