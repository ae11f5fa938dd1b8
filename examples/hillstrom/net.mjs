import map from './map.mjs';

/** What an e-mail costs, in visits: sending to all is then worth its cost only where it brings that many visits more. */
export const contactCost = 0.05;

/** As in map.mjs, and the reward is the visit minus the cost of the contact. */
export default function net(row) {
  const decision = map(row);
  const cost = decision.action === 'No E-Mail' ? 0 : contactCost;
  return { ...decision, reward: decision.reward - cost };
}
