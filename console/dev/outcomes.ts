import type { OutcomeRates } from '../../schemas/index.ts';
import { hex, makeRandom } from './random.ts';
import type { Scenario } from './scenarios.ts';

const keys: Readonly<Record<OutcomeRates['by'], readonly string[]>> = {
  action: ['free_shipping', 'size_help', 'bundle', 'ten_percent', ''],
  placement: ['banner', 'drawer'],
  policy: [hex(makeRandom(1), 32), hex(makeRandom(2), 32)],
  rung: ['champion', 'rules', 'default'],
  model: ['accept@1', ''],
};

/** Invented rates: what was never shown has none. */
export function outcomesOf(scenario: Scenario, search: URLSearchParams, now: number): OutcomeRates {
  const by = (search.get('by') ?? 'action') as OutcomeRates['by'];
  const isHeavy = scenario === 'heavy';
  const tenants = isHeavy ? ['north_america_wholesale_and_retail', 'emea'] : ['shop'];
  const groups = tenants.flatMap((tenant, place) =>
    keys[by].map((key, index): OutcomeRates['groups'][number] => {
      const random = makeRandom(index + place * 100 + 5);
      const scale = isHeavy ? 90_000 : 1;
      const decisions = Math.round((40 + random() * 400) * scale);
      const shown = key === '' ? 0 : Math.round(decisions * 0.6);
      const accepted = Math.round(shown * (0.05 + random() * 0.3));
      const dismissed = Math.round(shown * 0.2);
      const waiting = Math.round(shown * 0.03);
      const metric = (name: string, share: number, value: number) => {
        const mature = Math.round(shown * 0.7);
        const positives = Math.round(mature * share);
        return {
          metric: name,
          mature,
          positives,
          rate: mature === 0 ? null : positives / mature,
          provisional: Math.round(positives * 0.2),
          successes: positives,
          value: (positives * value).toFixed(2),
        };
      };
      return {
        tenant,
        key: isHeavy && key !== '' ? `${key}_for_loyal_customers_of_the_wholesale_department` : key,
        simulated: !isHeavy && index > 0,
        decisions,
        offered: shown,
        shown,
        accepted,
        dismissed,
        expired: Math.round(shown * 0.1),
        ignored: Math.max(0, shown - accepted - dismissed - waiting - Math.round(shown * 0.1)),
        waiting,
        metrics: [
          metric('accepted', shown === 0 ? 0 : accepted / shown, 0),
          metric('converted', 0, 0),
          metric('purchase', 0.08 + random() * 0.05, 61.4),
        ],
      };
    }),
  );
  const isEmpty = scenario === 'empty';
  return {
    by,
    from: now - 7 * 86_400_000,
    to: now,
    at: now,
    groups: isEmpty ? [] : groups,
    truncated: isHeavy,
  };
}
