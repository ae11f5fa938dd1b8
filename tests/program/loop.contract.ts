import { Analytics } from '@segment/analytics-node';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecideAnswer, DecisionDetail, OutcomeRates } from '../../schemas/index.ts';
import { patienceMs } from '../support/patience.ts';
import { type Home, makeHome, type Program, presage, startProgram, waitFor } from '../support/program.ts';
import { patientExample } from '../support/workspace.ts';

interface Offer {
  readonly decision: string;
  readonly action: string;
  readonly placement: string;
  readonly content: Record<string, unknown>;
  readonly expiresAt: number;
}

/** What the whole program does, whatever its log is made of; `environment` says which. */
export function wholeLoop(name: string, environment: () => Promise<NodeJS.ProcessEnv>): void {
  describe(`the whole loop ${name}`, () => {
    let home: Home;
    let program: Program;
    let publicKey: string;
    let secretKey: string;

    beforeAll(async () => {
      home = await makeHome(await environment());
      program = await startProgram(home, await patientExample(home, 'shop'), ['--no-simulate']);
      publicKey = await createKey('--public');
      secretKey = await createKey('--scopes', 'write,session,read');
    });
    afterAll(async () => {
      await program?.stop();
      await home?.remove();
    });

    async function createKey(...args: string[]): Promise<string> {
      const { out, err } = await presage(home, [
        'keys',
        'create',
        '--tenant',
        'shop',
        '--port',
        String(home.port),
        '--json',
        ...args,
      ]).finished;
      if (out === '') throw new Error(err);
      return (JSON.parse(out) as { key: string }).key;
    }

    const post = (path: string, key: string, body: unknown) =>
      fetch(`${program.address}${path}`, {
        method: 'POST',
        headers: { authorization: basic(key), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });

    function connect(auth: Record<string, unknown>): {
      socket: Socket;
      offers: Offer[];
      refusal: Promise<Error>;
    } {
      const socket = io(program.address, {
        path: '/push',
        auth,
        transports: ['websocket'],
        reconnection: false,
      });
      const offers: Offer[] = [];
      socket.on('offer', (offer: Offer, received?: () => void) => {
        offers.push(offer);
        received?.();
      });
      const refusal = new Promise<Error>((resolve) => socket.on('connect_error', resolve));
      return { socket, offers, refusal };
    }

    const connected = (socket: Socket) => waitFor('the socket to connect', () => socket.connected);
    const report = (socket: Socket, what: string, decision: string) =>
      socket.timeout(patienceMs).emitWithAck(what, { decision }) as Promise<{ ok: boolean; code?: string }>;

    /** A visitor who looks at expensive things, fills a cart and looks at it. */
    async function visit(who: { userId: string } | { anonymousId: string }): Promise<void> {
      const analytics = new Analytics({ writeKey: publicKey, host: program.address, flushAt: 1 });
      const track = (event: string, properties: Record<string, unknown>) =>
        new Promise<void>((resolve, reject) =>
          analytics.track({ ...who, event, properties }, (error) => (error ? reject(error) : resolve())),
        );
      for (const sku of ['tent-2', 'tent-3', 'tent-4'])
        await track('product_viewed', { sku, category: 'tents', price: 189 });
      await track('product_added', { sku: 'tent-3', category: 'tents', price: 189, quantity: 1 });
      await track('cart_viewed', { value: 189, items: 1 });
      await analytics.closeAndFlush();
    }

    it('turns a session into an offer, and reads decision, exposure and outcome back', async () => {
      const { socket, offers } = connect({ key: publicKey, anonymousId: 'visitor-1' });
      await connected(socket);
      await visit({ anonymousId: 'visitor-1' });
      const offer = await waitFor('an offer', () => offers[0]);
      expect(offer.content).toHaveProperty('title');
      expect(await report(socket, 'shown', offer.decision)).toMatchObject({ ok: true });
      expect(await report(socket, 'accepted', offer.decision)).toMatchObject({ ok: true });

      const [row] = await waitFor('the outcome in ClickHouse', async () => {
        const rows = await program.sql<{ action: string; outcome: string; exposed: number }>(
          `select d.action as action, o.outcome as outcome, count() as exposed from decisions d join exposures e on e.decision = d.id join outcomes o on o.decision = d.id where d.id = '${offer.decision}' group by 1, 2`,
        );
        return rows.length > 0 ? rows : null;
      });
      expect(row).toMatchObject({ action: offer.action, outcome: 'accepted' });

      const response = await fetch(`${program.address}/v1/decisions/${offer.decision}`, {
        headers: { authorization: basic(secretKey) },
      });
      expect(response.status).toBe(200);
      const detail = (await response.json()) as DecisionDetail;
      expect(detail.decision).toMatchObject({
        id: offer.decision,
        tenant: 'shop',
        subject: 'a:visitor-1',
        action: offer.action,
        rung: 'champion',
        mode: 'act',
        recorded: true,
      });
      expect(detail.decision.candidates.every((candidate) => candidate.verdict.rule !== '')).toBe(true);
      expect(detail.decision.features).toHaveProperty(Object.keys(detail.decision.features)[0] ?? 'none');
      expect(detail.exposures).toHaveLength(1);
      expect(detail.outcomes).toMatchObject([{ outcome: 'accepted' }]);
      socket.close();
    });

    it('delivers an offer again to a visitor who was away, until it is shown', async () => {
      const before = connect({ key: publicKey, anonymousId: 'visitor-2' });
      await connected(before.socket);
      await visit({ anonymousId: 'visitor-2' });
      const offer = await waitFor('an offer', () => before.offers[0]);
      before.socket.close();
      const after = connect({ key: publicKey, anonymousId: 'visitor-2' });
      const again = await waitFor('the offer again', () =>
        after.offers.find((other) => other.decision === offer.decision),
      );
      expect({ ...again, expiresInMs: 0 }).toEqual({ ...offer, expiresInMs: 0 });
      await report(after.socket, 'shown', offer.decision);
      after.socket.close();
    });

    it('lets one of two tabs show an offer', async () => {
      const tabs = [
        connect({ key: publicKey, anonymousId: 'visitor-3' }),
        connect({ key: publicKey, anonymousId: 'visitor-3' }),
      ];
      for (const { socket } of tabs) await connected(socket);
      await visit({ anonymousId: 'visitor-3' });
      const offers = await waitFor('the offer in both tabs', () =>
        tabs.every((tab) => tab.offers.length > 0) ? tabs.map((tab) => tab.offers[0]) : null,
      );
      const decision = offers[0]!.decision;
      const claims = (await Promise.all(
        tabs.map(({ socket }, tab) =>
          socket.timeout(patienceMs).emitWithAck('claim', { decision, tab: `tab-${tab}` }),
        ),
      )) as { granted: boolean }[];
      expect(claims.filter((claim) => claim.granted)).toHaveLength(1);
      for (const { socket } of tabs) socket.close();
    });

    it("opens a known user's session with a token of the backend, and not with the public key", async () => {
      const forbidden = connect({ key: publicKey, userId: 'u42' });
      expect(String((await forbidden.refusal).message)).toMatch(/token/i);
      forbidden.socket.close();

      const minted = await fetch(`${program.address}/v1/sessions`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`${secretKey}:`).toString('base64')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ userId: 'u42' }),
      });
      const { token } = (await minted.json()) as { token: string };
      const known = connect({ token });
      await connected(known.socket);
      // An anonymous id spelled like the user's id is somebody else.
      const other = connect({ key: publicKey, anonymousId: 'u42' });
      await connected(other.socket);
      await visit({ userId: 'u42' });
      await waitFor('an offer for the known user', () => known.offers[0]);
      expect(other.offers).toEqual([]);
      known.socket.close();
      other.socket.close();
    });

    it("makes what a visitor did the user's who signs in, offers included", async () => {
      const view = (messageId: string) =>
        post('/v1/track', publicKey, {
          messageId,
          anonymousId: 'visitor-5',
          event: 'product_viewed',
          properties: { sku: 'tent-2', category: 'tents', price: 189 },
        });
      const { socket, offers } = connect({ key: publicKey, anonymousId: 'visitor-5' });
      await connected(socket);
      for (const id of ['before-1', 'before-2']) expect((await view(id)).status).toBe(200);
      const identify = { messageId: 'sign-in', anonymousId: 'visitor-5', userId: 'u55' };
      expect((await post('/v1/identify', secretKey, identify)).status).toBe(200);
      // Still anonymous in what it sends: a page that has not heard of the sign-in.
      await view('before-1');
      await visit({ anonymousId: 'visitor-5' });
      const offer = await waitFor("the user's offer on the visitor's socket", () => offers[0]);
      const [decision] = await waitFor('the decision in ClickHouse', async () => {
        const rows = await program.sql<{ subject: string; record: string }>(
          `select subject, record from decisions where id = '${offer.decision}'`,
        );
        return rows.length > 0 ? rows : null;
      });
      expect(decision?.subject).toBe('u:u55');
      expect(await report(socket, 'shown', offer.decision)).toMatchObject({ ok: true });
      socket.close();
      const whose = await waitFor('all events in ClickHouse', async () => {
        const rows = await program.sql<{ subject: string; n: number }>(
          "select subject, toUInt32(count()) as n from events where anonymous_id = 'visitor-5' group by 1 order by 1",
        );
        return rows.reduce((sum, { n }) => sum + n, 0) === 8 ? rows : null;
      });
      expect(whose).toEqual([
        { subject: 'a:visitor-5', n: 2 },
        { subject: 'u:u55', n: 6 },
      ]);
      const theirs = await program.sql<{ n: number }>(
        "select toUInt32(uniqExact(id)) as n from subject_events where of_subject = 'u:u55'",
      );
      expect(theirs).toEqual([{ n: 8 }]);

      const answer = await post('/v1/decide', secretKey, { anonymousId: 'visitor-5', placement: 'banner' });
      const { decisions } = (await answer.json()) as { decisions: { id: string; recorded: boolean }[] };
      if (decisions[0]?.recorded) {
        const found = await fetch(`${program.address}/v1/decisions/${decisions[0].id}`, {
          headers: { authorization: basic(secretKey) },
        });
        if (found.status === 200)
          expect(((await found.json()) as DecisionDetail).decision).toMatchObject({
            subject: 'u:u55',
            identity: { askedFor: 'a:visitor-5' },
          });
      }
      const forged = await post('/v1/track', secretKey, {
        event: '$transfer',
        userId: 'u55',
        properties: {},
      });
      expect(forged.status).toBe(400);
    });

    it('delivers nothing while actions are stopped, and still records', async () => {
      const command = (name: string) =>
        presage(home, ['actions', name, '--port', String(home.port), '--reason', 'test']).finished;
      expect((await command('stop')).out).toContain('STOPPED');
      const { socket, offers } = connect({ key: publicKey, anonymousId: 'visitor-4' });
      await connected(socket);
      await visit({ anonymousId: 'visitor-4' });
      await waitFor(
        'the stopped decision',
        async () =>
          (await program.sql(`select id from decisions where subject = 'a:visitor-4' and mode = 'stopped'`))
            .length > 0,
      );
      expect(offers).toEqual([]);
      expect((await command('resume')).out).toContain('acting');
      socket.close();
    });

    it('decides on request, and answers a repeated request id with the first answer', async () => {
      const decide = async (requestId: string) => {
        const response = await fetch(`${program.address}/v1/decide`, {
          method: 'POST',
          headers: { authorization: basic(secretKey), 'content-type': 'application/json' },
          body: JSON.stringify({ anonymousId: 'visitor-1', placement: 'banner', requestId }),
        });
        expect(response.status).toBe(200);
        return (await response.json()) as {
          requestId: string;
          decisions: { id: string; recorded: boolean }[];
        };
      };
      // On a busy machine an answer may come from the default rung, which says so; the next one is asked then.
      let asked = 0;
      const first = await waitFor('a recorded answer', async () => {
        const answer = await decide(`r${asked++}`);
        return answer.decisions[0]?.recorded ? answer : null;
      });
      const again = await waitFor('the same answer', async () => {
        const answer = await decide(first.requestId);
        return answer.decisions[0]?.recorded ? answer : null;
      });
      expect(again).toEqual(first);
      const { id } = first.decisions[0] ?? { id: '' };
      await waitFor(
        'one record',
        async () => (await program.sql(`select id from decisions where id = '${id}'`)).length === 1,
      );
    });

    it('tells what came of decisions that a page asked for', async () => {
      await visit({ anonymousId: 'visitor-7' });
      let asks = 0;
      const decision = await waitFor('something to show', async () => {
        // A session of its own each time: triggers, and answers that came too late, have taken what others could have.
        const asked = {
          anonymousId: 'visitor-7',
          session: `asks-${asks++}`,
          placement: 'drawer',
          deadlineMs: 1_000,
        };
        const answer = await post('/v1/decide', publicKey, asked);
        const { decisions = [] } = (await answer.json()) as Partial<DecideAnswer>;
        return decisions[0]?.receipt === undefined ? null : decisions[0];
      });
      const { receipt, action } = decision;
      expect((await post('/v1/outcomes', publicKey, { receipt, outcome: 'accepted' })).status).toBe(200);
      const order = { event: 'order_completed', anonymousId: 'visitor-7', properties: { value: 189.5 } };
      expect((await post('/v1/track', publicKey, order)).status).toBe(200);

      const adminKey = await createKey('--scopes', 'admin');
      const group = await waitFor('the order among the outcomes', async () => {
        const answer = await fetch(`${program.address}/api/outcomes?by=action`, {
          headers: { authorization: basic(adminKey) },
        });
        const { groups = [] } = (await answer.json()) as Partial<OutcomeRates>;
        return groups.find(
          ({ accepted, metrics }) =>
            accepted > 0 && metrics.some(({ metric, successes }) => metric === 'purchase' && successes > 0),
        );
      });
      expect(group).toMatchObject({ tenant: 'shop', key: action, simulated: false });
      expect(group.metrics.find(({ metric }) => metric === 'purchase')).toMatchObject({
        successes: 1,
        value: '189.50',
        mature: 0,
        provisional: 1,
      });
      const found = await fetch(`${program.address}/v1/decisions/${decision.id}`, {
        headers: { authorization: basic(secretKey) },
      });
      expect(await found.json()).toMatchObject({ exposures: [{}], outcomes: [{ outcome: 'accepted' }] });
    });
  });
}

const basic = (key: string): string => `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
