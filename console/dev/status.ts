import type { Status, Throughput } from '../../schemas/index.ts';
import { makeRandom } from './random.ts';
import type { Scenario } from './scenarios.ts';

const roles = ['gateway', 'worker', 'sink', 'push', 'simulator'];

export function statusOf(scenario: Scenario, stopped: ReadonlySet<string>, now: number): Status {
  const isHeavy = scenario === 'heavy';
  const isEmpty = scenario === 'empty';
  const tenants = isHeavy
    ? [
        { name: 'north_america_wholesale_and_retail', currency: 'USD' },
        { name: 'emea', currency: 'EUR' },
        { name: 'japan', currency: 'JPY' },
      ]
    : [{ name: 'shop', currency: 'EUR' }];
  return {
    workspace: isHeavy ? 'department_store_with_a_rather_long_name' : 'shop',
    workspaceHash: '9c1f0b7be2d84a55b1c7e04d9e7f3a21',
    version: '0.1.0',
    tenants: tenants.map((tenant) => ({ ...tenant, stopped: stopped.has(tenant.name) })),
    startedAt: now - (isEmpty ? 8_000 : 4_380_000),
    simulating: !isHeavy && !isEmpty,
    roles: isHeavy
      ? [
          { name: 'gateway', state: 'ok', why: null },
          { name: 'worker', state: 'ok', why: null },
          {
            name: 'sink',
            state: 'degraded',
            why: 'ClickHouse does not answer; 128 MB are spooled to disk, decisions and push go on',
          },
          { name: 'push', state: 'down', why: 'Port 4322 is taken' },
        ]
      : roles.map((name) => ({ name, state: isEmpty && name === 'sink' ? 'starting' : 'ok', why: null })),
    links: { demo: isHeavy ? null : '/demo/', docs: '/docs', metrics: '/metrics' },
    totals: isEmpty
      ? { events: 0, decisions: 0, exposures: 0, outcomes: 0, deadLetters: 0, simulatedEvents: 0 }
      : isHeavy
        ? {
            events: 12_345_678_901,
            decisions: 987_654_321,
            exposures: 123_456_789,
            outcomes: 45_678_901,
            deadLetters: 1_234,
            simulatedEvents: 0,
          }
        : {
            events: 84_213,
            decisions: 6_120,
            exposures: 1_874,
            outcomes: 1_630,
            deadLetters: 0,
            simulatedEvents: 84_190,
          },
  };
}

export function throughputOf(scenario: Scenario, now: number): Throughput {
  if (scenario === 'empty') return { points: [] };
  const scale = scenario === 'heavy' ? 11_000 : 1;
  const end = Math.floor(now / 1_000);
  return {
    points: Array.from({ length: 900 }, (_, index) => {
      const second = end - 900 + index;
      const random = makeRandom(second);
      const wave = 1 + 0.35 * Math.sin(second / 47) + 0.15 * Math.sin(second / 11);
      const events = Math.round(wave * (14 + random() * 6) * scale);
      const pushed = random() < 0.45 ? Math.round(random() * 2 * scale) : 0;
      const commitP50 = 0.6 + random() * 0.5;
      const spike = random() < 0.02 ? 12 + random() * 20 : 0;
      const isSlow = scenario === 'heavy' ? 40 : 1;
      return {
        at: second * 1_000,
        events,
        decisions: Math.round(events * 0.08 + random()),
        pushed,
        commitP50: commitP50 * isSlow,
        commitP99: (commitP50 * 2.4 + random() * 1.5 + spike) * isSlow,
        pushP50: pushed === 0 ? null : (1.8 + random()) * isSlow,
        pushP99: pushed === 0 ? null : (4 + random() * 5 + spike) * isSlow,
      };
    }),
  };
}
