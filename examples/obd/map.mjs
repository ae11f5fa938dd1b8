/**
 * One row of the Open Bandit Dataset (Saito, Aihara, Matsutani, Narita 2020) becomes one logged choice: an item at one of
 * the places, numbered from 0 as the rows of the policy's matrix are. People have no id in it, only traits.
 */
export default function map(row) {
  return {
    action: Number(row.item_id),
    position: Number(row.position) - 1,
    propensity: Number(row.propensity_score ?? row.action_prob),
    reward: Number(row.click),
    context: Object.fromEntries(Object.entries(row).filter(([name]) => name.startsWith('user_feature_'))),
  };
}
