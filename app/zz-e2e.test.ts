import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'vitest';
import { startInstance } from './start/index.ts';
import { readEnvironment } from './environment.ts';
it('e2e', async () => {
  const data = await mkdtemp(join(tmpdir(), 'presage-e2e-'));
  const t0 = Date.now();
  const env = { ...readEnvironment({ ...process.env, XDG_STATE_HOME: data }), stateFolder: join(data, 'state') };
  const instance = await startInstance({ workspace: '/work/main/examples/shop', data: join(data, 'd'), port: 0, environment: env, yes: false, simulate: true, say: console.log } as never);
  console.log('started', Date.now() - t0, instance.address);
  const t1 = Date.now();
  let first = 0;
  const read = async () => {
    const text = await (await fetch(`${instance.address}/metrics`)).text();
    return text.split('\n').filter((l) => /^presage_push_(offers_total|messages_total|latency_seconds_(count|sum|bucket)|sockets|received|session)/.test(l)).join('\n');
  };
  while (Date.now() - t1 < 45000) {
    const m = await read();
    if (!first && /offers_total\{result="pushed"\} [1-9]/.test(m)) { first = Date.now() - t1; console.log('first offer after ms', first); }
    await new Promise((r) => setTimeout(r, 100));
  }
  console.log(await read());
  const t2 = Date.now();
  await instance.stop();
  console.log('stopped in', Date.now() - t2);
  await rm(data, { recursive: true, force: true });
}, 120000);
