/**
 * What the reward of a slot may depend on besides its own context, action and position. It is an assumption about the
 * world: no log of one policy can prove it.
 * - independent: nothing. Weights are of the slot alone (item-position model: Li, Abbasi-Yadkori, Kveton, Muthukrishnan,
 *   Vinay, Wen 2018, "Offline Evaluation of Ranking Policies with Click Models").
 * - cascade: the slots before it. Weights are products up to the slot (RIPS: McInerney, Brost, Chandar, Mehrotra,
 *   Carterette 2020, "Counterfactual Evaluation of Slate Recommendations with Sequential Reward Interactions").
 * - slate: all slots. Weights are products over the slate (there called the standard, or importance sampling, estimator).
 */
export const assumptions = ['independent', 'cascade', 'slate'] as const;
export type Assumption = (typeof assumptions)[number];
