import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReviewDetail, ReviewList } from '../../schemas/index.ts';
import { patienceMs } from '../support/patience.ts';
import {
  type Home,
  makeHome,
  type Program,
  presage,
  root,
  startProgram,
  waitFor,
} from '../support/program.ts';

const workspace = join(root, 'tests', 'workspaces', 'review');

interface Offer {
  readonly decision: string;
  readonly action: string;
  readonly content: Record<string, unknown>;
  readonly expiresInMs: number;
}

describe('a decision that waits for a person', () => {
  let home: Home;
  let program: Program;
  let publicKey: string;
  let adminKeys: string[];
  let otherTenant: string;

  beforeAll(async () => {
    home = await makeHome();
    program = await startProgram(home, workspace, ['--no-simulate']);
    publicKey = await createKey('acme', '--public');
    adminKeys = [await createKey('acme', '--scopes', 'admin'), await createKey('acme', '--scopes', 'admin')];
    otherTenant = await createKey('bolt', '--scopes', 'admin');
  });
  afterAll(async () => {
    await program?.stop();
    await home?.remove();
  });

  async function createKey(tenant: string, ...args: string[]): Promise<string> {
    const asked = ['keys', 'create', '--tenant', tenant, '--port', String(home.port), '--json', ...args];
    const { out, err } = await presage(home, asked).finished;
    if (out === '') throw new Error(err);
    return (JSON.parse(out) as { key: string }).key;
  }

  function connect(anonymousId: string): { socket: Socket; offers: Offer[] } {
    const socket = io(program.address, {
      path: '/push',
      auth: { key: publicKey, anonymousId },
      transports: ['websocket'],
      reconnectionDelayMax: 100,
    });
    const offers: Offer[] = [];
    socket.on('offer', (offer: Offer, received?: () => void) => {
      offers.push(offer);
      received?.();
    });
    return { socket, offers };
  }

  let made = 0;
  async function complain(anonymousId: string): Promise<void> {
    const response = await fetch(`${program.address}/v1/track`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${publicKey}` },
      body: JSON.stringify({
        event: 'complaint',
        messageId: `complaint-${made++}`,
        anonymousId,
        properties: { topic: 'late', amount: 20 },
      }),
    });
    expect(response.status).toBe(200);
  }

  async function ask<T>(path: string, key: string, body?: object): Promise<{ status: number; body: T }> {
    const response = await fetch(`${program.address}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  }
  const waiting = async (key = adminKeys[0] ?? '') =>
    (await ask<ReviewList>('/v1/reviews', key)).body.waiting;
  const oneOf = (subject: string) =>
    waitFor(`the decision about ${subject} in the queue`, async () =>
      (await waiting()).find((each) => each.subject === subject),
    );

  it('survives SIGKILL, is approved once by one of two who try, and then goes out as any other', async () => {
    const { socket, offers } = connect('ann');
    await waitFor('the socket to connect', () => socket.connected);
    await complain('ann');
    const before = await oneOf('a:ann');
    expect(before).toMatchObject({ action: 'refund', reason: 'gate', confidence: null, isEscalated: false });
    expect(await waiting(otherTenant)).toEqual([]);
    expect((await ask(`/v1/reviews/${before.id}`, otherTenant)).status).toBe(404);

    await program.kill();
    program = await startProgram(home, workspace, ['--no-simulate']);
    expect(await oneOf('a:ann')).toEqual(before);
    await waitFor('the socket to connect again', () => socket.connected);
    expect(offers).toEqual([]);

    const answers = await Promise.all(
      adminKeys.map((key, index) =>
        ask<{ verdict?: string; code?: string; error?: { code: string } }>(`/v1/reviews/${before.id}`, key, {
          verdict: 'approve',
          reviewer: ['Ann', 'Bob'][index],
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const lost = answers.find(({ status }) => status === 409);
    expect(JSON.stringify(lost?.body)).toContain('already_reviewed');

    const offer = await waitFor('the offer', () => offers[0]);
    expect(offer).toMatchObject({ decision: before.id, action: 'refund' });
    expect(offer.content).toMatchObject({ title: 'Your money back' });
    // As long as any offer of its placement, from the approval on.
    expect(offer.expiresInMs).toBeGreaterThan(300_000);
    const shown = await socket.timeout(patienceMs).emitWithAck('shown', { decision: offer.decision });
    expect(shown).toMatchObject({ ok: true });

    const label = await waitFor('the label in ClickHouse', async () => {
      const rows = await program.sql<Record<string, unknown>>(
        `select verdict, reason, probability, reviewer, right, mature from review_labels join reviews using (decision, tenant) where decision = '${before.id}'`,
      );
      return rows[0];
    });
    expect(label).toMatchObject({ verdict: 'approved', reason: 'gate', probability: 1, mature: 0 });
    const decided = await waitFor('the decision as it was executed', async () => {
      const rows = await program.sql<{ mode: string; action: string; exposed: number }>(
        `select mode, action, (select count() from exposures where decision = '${before.id}') as exposed from decisions where id = '${before.id}' and mode = 'act'`,
      );
      return rows.find(({ exposed }) => Number(exposed) === 1);
    });
    expect(decided).toMatchObject({ mode: 'act', action: 'refund' });
    const detail = await ask<ReviewDetail>(`/v1/reviews/${before.id}`, adminKeys[0] ?? '');
    expect(detail.body.decided).toMatchObject({ verdict: 'approved', isPublished: true });
    expect(offers).toHaveLength(1);
    socket.close();
  });

  it('is shown as a person has edited it, and not at all when it is rejected', async () => {
    const { socket, offers } = connect('bob');
    await waitFor('the socket to connect', () => socket.connected);
    await complain('bob');
    const edited = await oneOf('a:bob');
    const half = { verdict: 'edit', content: { title: 'Half of it back' }, note: 'it was late, not lost' };
    expect((await ask(`/v1/reviews/${edited.id}`, adminKeys[0] ?? '', half)).status).toBe(200);
    const offer = await waitFor('the offer', () => offers[0]);
    expect(offer.content).toEqual({ title: 'Half of it back' });

    await complain('bob');
    const rejected = await oneOf('a:bob');
    expect(rejected.id).not.toBe(edited.id);
    const no = await ask(`/v1/reviews/${rejected.id}`, adminKeys[1] ?? '', { verdict: 'reject' });
    expect(no.status).toBe(200);
    const rows = await waitFor('both labels', async () => {
      const found = await program.sql<{ verdict: string; right: number }>(
        `select verdict, right from review_labels where subject = 'a:bob' order by time`,
      );
      return found.length === 2 ? found : null;
    });
    expect(rows.map(({ verdict, right }) => [verdict, Number(right)])).toEqual([
      ['edited', 0],
      ['rejected', 0],
    ]);
    // The log is past the verdict, and so is push.
    expect(offers).toHaveLength(1);
    socket.close();
  });

  it('takes from its caps when it is approved, and is not executed where they have no room', async () => {
    for (let index = 0; index < 3; index++) await complain('cid');
    const ids = await waitFor('three in the queue', async () => {
      const mine = (await waiting()).filter(({ subject }) => subject === 'a:cid');
      return mine.length === 3 ? mine.map(({ id }) => id) : null;
    });
    for (const id of ids)
      expect((await ask(`/v1/reviews/${id}`, adminKeys[0] ?? '', { verdict: 'approve' })).status).toBe(200);
    const modes = await waitFor('all three in ClickHouse', async () => {
      const rows = await program.sql<{ mode: string; action: string | null }>(
        `select mode, action from decisions where subject = 'a:cid' order by action is null`,
      );
      return rows.every(({ mode }) => mode === 'act') && rows.length === 3 ? rows : null;
    });
    expect(modes.map(({ action }) => action)).toEqual(['refund', 'refund', null]);
  });
});
