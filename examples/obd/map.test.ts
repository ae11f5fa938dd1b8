import { expect, it } from 'vitest';
import map from './map.mjs';

it('makes a logged choice of a row, with positions from 0 as the matrix of a policy has them', () => {
  const row = {
    '': '0',
    timestamp: '2019-11-24 00:03:13.442536+00:00',
    item_id: '14',
    position: '3',
    click: '0',
    propensity_score: '0.029411764705882353',
    user_feature_0: 'cef3',
    user_feature_1: '03a5',
    'user-item_affinity_0': '0.0',
  };
  expect(map(row)).toEqual({
    action: 14,
    position: 2,
    propensity: 1 / 34,
    reward: 0,
    context: { user_feature_0: 'cef3', user_feature_1: '03a5' },
  });
});
