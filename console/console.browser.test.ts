import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accessibilityProblems,
  findChromium,
  layoutProblems,
  type OpenPage,
  openPage,
  screenshot,
} from '../tests/support/browser.ts';
import { type Harness, pictures, startHarness } from './dev/harness.ts';
import { decisionIds } from './dev/record.ts';
import { reviewIds } from './dev/reviews.ts';
import type { Scenario } from './dev/scenarios.ts';

const chromium = findChromium();
const subject = '/subjects/a:sim-7f3a91c2e0';

/** Every page and situation, and a text that tells that it is there. */
const views: readonly { name: string; scenario: Scenario; path: string; ready: string }[] = [
  { name: 'live', scenario: 'demo', path: '/', ready: '.stream-row' },
  { name: 'live-empty', scenario: 'empty', path: '/', ready: 'text=Nothing has come in yet' },
  { name: 'live-loading', scenario: 'loading', path: '/', ready: '.loading' },
  { name: 'live-error', scenario: 'error', path: '/', ready: 'text=The status could not be read' },
  { name: 'live-heavy', scenario: 'heavy', path: '/', ready: '.stream-row' },
  { name: 'live-stopped', scenario: 'stopped', path: '/', ready: '.banner-stopped' },
  { name: 'decisions', scenario: 'demo', path: '/decisions', ready: 'tbody tr' },
  {
    name: 'decisions-empty',
    scenario: 'empty',
    path: '/decisions',
    ready: 'text=Nothing has been decided yet',
  },
  {
    name: 'decisions-none',
    scenario: 'demo',
    path: '/decisions?action=no_such',
    ready: 'text=No decision fits',
  },
  { name: 'decisions-error', scenario: 'error', path: '/decisions', ready: 'text=could not be read' },
  { name: 'decisions-heavy', scenario: 'heavy', path: '/decisions', ready: 'tbody tr' },
  {
    name: 'outcomes',
    scenario: 'demo',
    path: '/decisions?outcomes=action',
    ready: '.table-outcomes tbody tr',
  },
  {
    name: 'outcomes-empty',
    scenario: 'empty',
    path: '/decisions?outcomes=rung',
    ready: 'text=Nothing was decided in the last',
  },
  {
    name: 'outcomes-error',
    scenario: 'error',
    path: '/decisions?outcomes=action',
    ready: 'text=outcomes could not be computed',
  },
  {
    name: 'outcomes-heavy',
    scenario: 'heavy',
    path: '/decisions?outcomes=policy',
    ready: '.table-outcomes tbody tr',
  },
  { name: 'decision', scenario: 'demo', path: `/decisions/${decisionIds.accepted}`, ready: '.step' },
  {
    name: 'decision-waiting',
    scenario: 'demo',
    path: `/decisions/${decisionIds.waiting}`,
    ready: '.step-waiting',
  },
  {
    name: 'decision-nothing',
    scenario: 'demo',
    path: `/decisions/${decisionIds.nothing}`,
    ready: '.step-never',
  },
  {
    name: 'decision-observed',
    scenario: 'demo',
    path: `/decisions/${decisionIds.observed}`,
    ready: '.step-never',
  },
  {
    name: 'decision-stopped',
    scenario: 'stopped',
    path: `/decisions/${decisionIds.stopped}`,
    ready: '.step-never',
  },
  {
    name: 'decision-drawn',
    scenario: 'demo',
    path: `/decisions/${decisionIds.drawn}`,
    ready: 'text=whatever they show',
  },
  {
    name: 'decision-unknown',
    scenario: 'demo',
    path: '/decisions/d_unknown',
    ready: 'text=No decision has this id',
  },
  { name: 'decision-heavy', scenario: 'heavy', path: `/decisions/${decisionIds.accepted}`, ready: '.step' },
  {
    name: 'subject',
    scenario: 'demo',
    path: `${subject}?tenant=shop`,
    ready: '.pairs-features',
  },
  {
    name: 'subject-heavy',
    scenario: 'heavy',
    path: `/subjects/u:${'4f'.repeat(32)}?tenant=emea`,
    ready: '.bars',
  },
  { name: 'subject-unknown', scenario: 'demo', path: '/subjects/u:nobody', ready: 'text=Nothing is kept' },
  { name: 'reviews', scenario: 'demo', path: '/reviews', ready: 'tbody tr' },
  { name: 'reviews-empty', scenario: 'empty', path: '/reviews', ready: 'text=Nothing waits for you' },
  { name: 'reviews-error', scenario: 'error', path: '/reviews', ready: 'text=could not be read' },
  { name: 'reviews-heavy', scenario: 'heavy', path: '/reviews', ready: 'tbody tr' },
  { name: 'review', scenario: 'demo', path: `/reviews/${reviewIds.waiting}`, ready: 'textarea' },
  { name: 'review-urgent', scenario: 'heavy', path: `/reviews/${reviewIds.urgent}`, ready: 'textarea' },
  {
    name: 'review-sampled',
    scenario: 'demo',
    path: `/reviews/${reviewIds.sampled}`,
    ready: 'text=It was right',
  },
  {
    name: 'review-decided',
    scenario: 'demo',
    path: `/reviews/${reviewIds.decided}`,
    ready: 'text=in the log',
  },
  {
    name: 'review-over',
    scenario: 'demo',
    path: `/reviews/${reviewIds.over}`,
    ready: 'text=Its time is over',
  },
  { name: 'review-unknown', scenario: 'demo', path: '/reviews/d_unknown', ready: 'text=Nothing of this id' },
  { name: 'signed-out', scenario: 'signed-out', path: '/', ready: 'text=npx presage link' },
  { name: 'unknown', scenario: 'demo', path: '/no/such/page', ready: 'text=No such page' },
];

/** The dark colours are the same everywhere: these show each of them. */
const alsoDark = new Set([
  'live',
  'live-error',
  'live-stopped',
  'decisions',
  'decision',
  'decision-nothing',
  'subject',
  'reviews',
  'review',
  'signed-out',
]);

describe.skipIf(chromium === null)('the console in Chromium', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await startHarness(chromium!);
  });

  afterAll(() => harness?.close());

  for (const theme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      describe(`${width} px, ${theme}`, () => {
        let opened: OpenPage;

        beforeAll(async () => {
          opened = await openPage(harness.browser, { width, theme });
        });

        afterAll(() => opened.close());

        const wanted = views.filter(({ name }) => theme === 'light' || alsoDark.has(name));
        it.each(wanted)('$name: nothing cut off, nothing overlaps, nothing bars the way', async (view) => {
          const { page, complaints } = opened;
          harness.server.set(view.scenario);
          await page.goto(harness.server.url + view.path);
          await page.locator(view.ready).first().waitFor();
          const isWhole = /^(decision|subject|review)/.test(view.name);
          await screenshot(page, join(pictures, `${view.name}-${width}-${theme}.png`), isWhole);
          expect(await layoutProblems(page)).toEqual([]);
          expect(await accessibilityProblems(page)).toEqual([]);
          expect(complaints).toEqual([]);
        });
      });
    }
  }

  it('390 px: the name of a feature goes on after an underscore, not inside a word', async () => {
    const { page, close } = await openPage(harness.browser, { width: 390 });
    harness.server.set('demo');
    await page.goto(`${harness.server.url}${subject}?tenant=shop`);
    const names = page.locator('.pairs-features dt');
    await names.first().waitFor();
    const ends = await names.evaluateAll((all) =>
      all.flatMap((name) => {
        const range = document.createRange();
        const letters = [...name.childNodes].flatMap((node) =>
          node.nodeType !== Node.TEXT_NODE
            ? []
            : [...(node.textContent ?? '')].map((letter, at) => {
                range.setStart(node, at);
                range.setEnd(node, at + 1);
                return { letter, top: range.getBoundingClientRect().top };
              }),
        );
        return letters.flatMap(({ letter, top }, at) =>
          (letters[at + 1]?.top ?? top) > top ? [letter] : [],
        );
      }),
    );
    expect(ends.length).toBeGreaterThan(0);
    expect(new Set(ends)).toEqual(new Set(['_']));
    await close();
  });

  it.each([320, 820, 1920])(
    '%s px: every page fits',
    async (width) => {
      const { page, close } = await openPage(harness.browser, { width });
      for (const { name, scenario, path, ready } of views.filter(({ name }) =>
        /^(live|decisions|decision|subject|reviews|review)(-heavy|-urgent)?$/.test(name),
      )) {
        harness.server.set(scenario);
        await page.goto(harness.server.url + path);
        await page.locator(ready).first().waitFor();
        await screenshot(page, join(pictures, `${name}-${width}.png`));
        expect([name, await layoutProblems(page)]).toEqual([name, []]);
      }
      await close();
    },
    120_000,
  );
});
