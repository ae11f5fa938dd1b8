import { buildRow } from '../../scorers/index.ts';
import type { ColumnPlan, Examples } from '../../training/index.ts';
import type { CompiledModel } from '../../workspace/index.ts';
import type { Listed } from './log.ts';
import type { ListQuestion } from './questions.ts';

/** What the model reads: of the list, of the hotel in the list, and of the person. */
export const inputs = [
  'action.position',
  'action.price',
  'action.price_rank',
  'action.price_ratio',
  'action.listed',
  'looks_by_hotel[action.item]',
  'details_by_hotel[action.item]',
  'clickouts_by_hotel[action.item]',
  'searches_by_hotel[action.item]',
  'touched_by_hotel[action.item]',
  'left_for_by_hotel[action.item]',
  'touched',
  'left_for',
  'active',
  'last_place',
  'last_price',
  'session_events',
  'session_clickouts',
  'session_looks',
  'session_seconds',
] as const;

/** Where a person has not done it: so long ago, or so far away, that contrasts come to their limit. */
export const defaults: Readonly<Record<string, number>> = {
  'touched_by_hotel[action.item]': -1e6,
  'left_for_by_hotel[action.item]': -1e6,
  last_place: -1_000,
  last_price: -10_000,
  session_seconds: -1,
};

const seconds = { least: 0, most: 200_000 };

export const plan: ColumnPlan = {
  contrasts: [
    { name: 'since_touched', of: 'active', minus: 'touched_by_hotel[action.item]', ...seconds },
    { name: 'behind_touched', of: 'touched', minus: 'touched_by_hotel[action.item]', ...seconds },
    { name: 'since_left', of: 'active', minus: 'left_for_by_hotel[action.item]', ...seconds },
    { name: 'behind_left', of: 'left_for', minus: 'left_for_by_hotel[action.item]', ...seconds },
    { name: 'below_last', of: 'action.position', minus: 'last_place', least: -100, most: 100 },
    { name: 'against_last_price', of: 'action.price', minus: 'last_price', least: -5_000, most: 5_000 },
    { name: 'idle', of: 'active', minus: 'touched', ...seconds },
  ],
  hidden: [
    'touched_by_hotel[action.item]',
    'left_for_by_hotel[action.item]',
    'touched',
    'left_for',
    'active',
    'last_price',
  ],
};

/** As whoever asks for a ranking would describe a hotel; nothing of what the person did. */
function attributesOf(list: readonly Listed[]): readonly Record<string, number | string>[] {
  const prices = list.map(({ price }) => price);
  const mean = prices.reduce((sum, price) => sum + price, 0) / prices.length;
  return list.map(({ item, position, price }) => ({
    item,
    position,
    price,
    price_rank: prices.filter((other) => other < price).length,
    price_ratio: price / mean,
    listed: list.length,
  }));
}

/** Rows as the engine's scorer gets them, all hotels of all lists. */
export function examplesOf(questions: readonly ListQuestion[]): Examples & { readonly lists: Int32Array } {
  const count = questions.reduce((sum, { list }) => sum + list.length, 0);
  const values = new Float32Array(count * inputs.length);
  const labels = new Uint8Array(count);
  const lists = new Int32Array(count);
  const model = { inputs, defaults, missing: 0 } as unknown as CompiledModel;
  let row = 0;
  questions.forEach(({ list, features, chosen }, question) => {
    for (const attributes of attributesOf(list)) {
      buildRow(model, features, attributes, 'hotel', values, row * inputs.length);
      labels[row] = attributes.item === chosen ? 1 : 0;
      lists[row++] = question;
    }
  });
  return { inputs: [...inputs], values, labels, lists };
}

/** The features that the inputs read. */
export const featuresRead: ReadonlySet<string> = new Set(
  inputs.filter((input) => !input.startsWith('action.')).map((input) => input.replace(/\[.*/, '')),
);
