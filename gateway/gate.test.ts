import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeGate } from '../core/index.ts';
import { type Lab, startLab } from '../tests/support/gateway.ts';
import { waitFor } from '../tests/support/program.ts';

let lab: Lab | null = null;
afterEach(() => lab?.stop());

async function labWith(patienceMs: number) {
  const gate = makeGate({ patienceMs, what: 'The number of partitions is being changed' });
  const entering = vi.spyOn(gate, 'enter');
  lab = await startLab({ gate });
  const { secret } = await lab.keysOf('acme');
  const send = (id: string) =>
    (lab as Lab).post(
      '/v1/t',
      { messageId: id, event: 'viewed', userId: 'u', properties: { sku: 's' } },
      secret,
    );
  return { gate, lab, send, secret, entering };
}

describe('while the gate is closed', () => {
  it('what uses log or state waits, and is served when it opens; all else is served', async () => {
    const { gate, lab, send, secret } = await labWith(60_000);
    expect((await send('a')).status).toBe(200);
    // Nobody is inside any more.
    expect(await gate.close(10_000)).toBe(true);
    const answers: string[] = [];
    const waiting = [
      send('b').then(({ status }) => answers.push(`event ${status}`)),
      lab.get('/v1/subjects/u/features', secret).then(({ status }) => answers.push(`read ${status}`)),
    ];
    expect((await lab.get('/healthz')).status).toBe(200);
    expect(answers).toEqual([]);
    expect(await lab.events()).toHaveLength(1);
    gate.open();
    await Promise.all(waiting);
    expect(answers.sort()).toEqual(['event 200', 'read 404']);
    expect(await lab.events()).toHaveLength(2);
  });

  it('who has waited too long is told when to come back', async () => {
    const { gate, send } = await labWith(20);
    await gate.close(10_000);
    const { status, headers, body } = await send('a');
    expect([status, headers.get('retry-after'), body.code]).toEqual([503, '1', 'held_back']);
    gate.open();
    expect((await send('a')).status).toBe(200);
  });

  it('who gave up waiting is not inside for good', async () => {
    const { gate, lab, secret, entering } = await labWith(60_000);
    await gate.close(10_000);
    const gone = new Promise<void>((resolve) => {
      lab.gateway.server.once('connection', (socket) => socket.once('close', () => resolve()));
    });
    const { hostname, port } = new URL(lab.address);
    const client = connect(Number(port), hostname, () => {
      client.write(
        `GET /v1/subjects/u/features HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${secret}\r\n\r\n`,
      );
    });
    await waitFor('the request to wait outside', () => entering.mock.results.length > 0);
    client.destroy();
    await gone;
    gate.open();
    await waitFor('nobody to be inside', () => gate.close(100));
    gate.open();
  });
});
