import { describe, expect, it } from 'vitest';
import { mapRow } from '../../app/feed/map.ts';
import map from './map.mjs';

const clickout = {
  user_id: '018ULPKHFF1A',
  session_id: '82cafdca18b3c',
  timestamp: '1541599553',
  step: '3',
  action_type: 'clickout item',
  reference: '5967314',
  platform: 'FR',
  city: 'Marseille, France',
  device: 'tablet',
  current_filters: 'Hotel|Best Value',
  impressions: '100131|913787|5967314',
  prices: '71|107|119',
};
const look = {
  ...clickout,
  action_type: 'interaction item image',
  current_filters: '',
  impressions: '',
  prices: '',
};

describe('a row of the trivago log', () => {
  it('is an event at its time, of its user and session', () => {
    expect(map(look)).toEqual({
      type: 'interaction_item_image',
      userId: '018ULPKHFF1A',
      session: '82cafdca18b3c',
      time: 1_541_599_553_000,
      properties: {
        platform: 'FR',
        city: 'Marseille, France',
        device: 'tablet',
        step: 3,
        reference: '5967314',
      },
    });
  });

  it('of a click-out says how long the list was, and place and price of the hotel in it', () => {
    expect(map(clickout).properties).toMatchObject({ impressions: 3, position: 3, price: 119, filters: 2 });
  });

  it('of a click-out on a hotel that is not listed has neither place nor price', () => {
    const { properties } = map({ ...clickout, reference: '1' });
    expect(properties).toMatchObject({ impressions: 3, reference: '1' });
    expect(properties).not.toHaveProperty('price');
    expect(properties).not.toHaveProperty('position');
  });

  it.each(['', 'unknown'])('whose reference is "%s" has none', (reference) => {
    expect(map({ ...look, reference }).properties).not.toHaveProperty('reference');
  });

  it('has no id of its own, so that two rows of one session and step stay two events', () => {
    const ids = [0, 1]
      .map((row) => mapRow({ row, value: look }, map, 'hash'))
      .map(([one]) => one?.kind === 'event' && one.event.id);
    expect(new Set(ids).size).toBe(2);
  });

  it('is rejected with its reason where its time is none', () => {
    expect(mapRow({ row: 7, value: { ...look, timestamp: 'soon' } }, map, 'hash')).toMatchObject([
      { kind: 'reject', row: 7, code: 'not_an_event' },
    ]);
  });
});
