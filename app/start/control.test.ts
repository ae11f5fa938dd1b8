import { expect, it } from 'vitest';
import { memoryLog } from '../../stream/log/index.ts';
import { memoryState } from '../../stream/state/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { makeControl } from './control.ts';

function rig() {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const log = memoryLog({ partitions: 2, clock });
  const store = memoryState({ clock });
  let calls = 0;
  const control = () =>
    makeControl({ log, store, clock, newId: () => `call-${calls++}`, tenants: ['acme', 'bolt'] });
  return { log, store, control };
}

it('stops a tenant at once, before any worker has come to it, and over a restart', async () => {
  const { control, log } = rig();
  await control().stop(['acme'], 'test', undefined);
  expect([...(await control().stoppedTenants())]).toEqual(['acme']);
  for (const partition of [0, 1]) expect(await log.range(partition)).toEqual({ start: 0, end: 1 });
});

it('resumes one tenant and leaves the others, however close the calls', async () => {
  const { control } = rig();
  const one = control();
  await Promise.all([
    one.stop(['acme'], 'test', 'too many'),
    one.stop(['bolt'], 'test', undefined),
    one.resume(['acme'], 'test', undefined),
  ]);
  expect([...(await one.stoppedTenants())]).toEqual(['bolt']);
});

it('stays stopped when the log refuses the event: the safe side', async () => {
  const { control, log } = rig();
  const one = control();
  await log.close();
  await expect(one.stop(['acme'], 'test', undefined)).rejects.toMatchObject({ code: 'log_unavailable' });
  expect([...(await one.stoppedTenants())]).toEqual(['acme']);
  await expect(one.resume(['acme'], 'test', undefined)).rejects.toMatchObject({ retriable: true });
  expect([...(await one.stoppedTenants())]).toEqual(['acme']);
});
