import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryInbox } from './memory.ts';
import type { Inbox, InboxAddress, PendingOffer } from './port.ts';
import { inboxLimits } from './port.ts';

const minute = 60_000;
const start = 1_750_000_000_000;

function offer(decision: string, decidedAt = start, expiresAt = decidedAt + 10 * minute): PendingOffer {
  return {
    decision,
    action: 'free_shipping',
    placement: 'banner',
    content: { title: 'Ships free', price: 0.1, nested: { list: [] } },
    because: 'cart_grew',
    simulated: false,
    decidedAt,
    expiresAt,
  };
}

/** What every Inbox does. `make` is called once; each test has a subject of its own. */
export function inboxContract(make: () => Promise<Inbox>): void {
  let subjects = 0;
  const nobodyYet = (): InboxAddress => ({ partition: 0, tenant: 'shop', subject: `a:v${subjects++}` });

  describe('an inbox', () => {
    it('keeps an offer until it is settled, and remembers it afterwards', async () => {
      const inbox = await make();
      const who = nobodyYet();
      expect(await inbox.put(who, offer('d1'), start)).toEqual({ isPending: true, dropped: 0 });
      expect(await inbox.pending(who, start)).toEqual([offer('d1')]);
      await inbox.settle(who, 'd1');
      expect(await inbox.pending(who, start)).toEqual([]);
      expect(await inbox.find(who, 'd1', start)).toMatchObject({
        action: 'free_shipping',
        placement: 'banner',
      });
    });

    it('takes the same decision once: a repeat while it waits, or after it was settled, changes nothing', async () => {
      const inbox = await make();
      const who = nobodyYet();
      await inbox.put(who, offer('d1'), start);
      expect(await inbox.put(who, offer('d1'), start)).toEqual({ isPending: true, dropped: 0 });
      expect(await inbox.pending(who, start)).toHaveLength(1);
      await inbox.settle(who, 'd1');
      expect(await inbox.put(who, offer('d1'), start)).toEqual({ isPending: false, dropped: 0 });
      expect(await inbox.pending(who, start)).toEqual([]);
    });

    it('never hands out an offer at or after its expiry, and forgets it a day later', async () => {
      const inbox = await make();
      const who = nobodyYet();
      const { expiresAt } = offer('d1');
      await inbox.put(who, offer('d1'), start);
      expect(await inbox.pending(who, expiresAt - 1)).toHaveLength(1);
      expect(await inbox.pending(who, expiresAt)).toEqual([]);
      expect(await inbox.claim(who, 'd1', 'tab', expiresAt)).toBe('expired');
      expect(await inbox.find(who, 'd1', expiresAt + inboxLimits.keepMs - 1)).not.toBeNull();
      expect(await inbox.find(who, 'd1', expiresAt + inboxLimits.keepMs)).toBeNull();
    });

    it('refuses what has expired before it came', async () => {
      const inbox = await make();
      const who = nobodyYet();
      expect(await inbox.put(who, offer('d1'), offer('d1').expiresAt)).toEqual({
        isPending: false,
        dropped: 0,
      });
      expect(await inbox.find(who, 'd1', start)).toBeNull();
    });

    it('drops the oldest offers of a full inbox and says how many', async () => {
      const inbox = await make();
      const who = nobodyYet();
      for (let i = 0; i < inboxLimits.pending; i++) await inbox.put(who, offer(`d${i}`, start + i), start);
      expect(await inbox.put(who, offer('late', start + 99), start)).toEqual({ isPending: true, dropped: 1 });
      const waiting = await inbox.pending(who, start);
      expect(waiting).toHaveLength(inboxLimits.pending);
      expect(waiting[0]?.decision).toBe('d1');
      expect(waiting.at(-1)?.decision).toBe('late');
      expect(await inbox.find(who, 'd0', start)).not.toBeNull();
    });

    it('remembers a bounded number of offers', async () => {
      const inbox = await make();
      const who = nobodyYet();
      for (let i = 0; i <= inboxLimits.pushed; i++) await inbox.put(who, offer(`d${i}`, start + i), start);
      expect(await inbox.find(who, 'd0', start)).toBeNull();
      expect(await inbox.find(who, 'd1', start)).not.toBeNull();
    });

    it('grants an offer to the first tab that claims it, and to that tab again', async () => {
      const inbox = await make();
      const who = nobodyYet();
      await inbox.put(who, offer('d1'), start);
      expect(await inbox.claim(who, 'd1', 'left', start)).toBe('granted');
      expect(await inbox.claim(who, 'd1', 'right', start)).toBe('held');
      expect(await inbox.claim(who, 'd1', 'left', start)).toBe('granted');
      expect(await inbox.find(who, 'd1', start)).toMatchObject({ claimedBy: 'left' });
    });

    it('grants exactly one of many claims at once', async () => {
      const inbox = await make();
      const who = nobodyYet();
      await inbox.put(who, offer('d1'), start);
      const tabs = Array.from({ length: 20 }, (_, tab) => inbox.claim(who, 'd1', `tab ${tab}`, start));
      expect((await Promise.all(tabs)).filter((result) => result === 'granted')).toHaveLength(1);
    });

    it('keeps tenants and subjects apart', async () => {
      const inbox = await make();
      const who = nobodyYet();
      await inbox.put(who, offer('d1'), start);
      for (const other of [
        { ...who, tenant: 'rival' },
        { ...who, subject: `u:${who.subject.slice(2)}` },
      ]) {
        expect(await inbox.pending(other, start)).toEqual([]);
        expect(await inbox.find(other, 'd1', start)).toBeNull();
        expect(await inbox.claim(other, 'd1', 'tab', start)).toBe('unknown');
      }
    });

    it('answers any sequence of calls as the plain model does', async () => {
      const inbox = await make();
      // In minutes: Redis also expires keys by its own clock, which does not stand still.
      const step = fc.oneof(
        fc.record({
          do: fc.constant('put' as const),
          decision: fc.nat(30),
          lasts: fc.integer({ min: -5, max: 50 }),
        }),
        fc.record({
          do: fc.constant('claim' as const),
          decision: fc.nat(30),
          tab: fc.constantFrom('left', 'right'),
        }),
        fc.record({ do: fc.constant('settle' as const), decision: fc.nat(30) }),
        fc.record({ do: fc.constant('wait' as const), minutes: fc.nat(10) }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
          const who = nobodyYet();
          const model = memoryInbox();
          let now = start;
          for (const next of steps) {
            if (next.do === 'wait') {
              now += next.minutes * minute;
              continue;
            }
            const id = `d${next.decision}`;
            const both = async <T>(call: (of: Inbox) => Promise<T>) =>
              expect(await call(inbox)).toEqual(await call(model));
            if (next.do === 'put')
              await both((of) =>
                of.put(who, offer(id, start + next.decision, now + next.lasts * minute), now),
              );
            if (next.do === 'claim') await both((of) => of.claim(who, id, next.tab, now));
            if (next.do === 'settle') await both((of) => of.settle(who, id));
            await both((of) => of.pending(who, now));
            await both((of) => of.find(who, id, now));
          }
        }),
        { numRuns: 30 },
      );
    });
  });
}
