/**
 * One row of the trivago session log (RecSys Challenge 2019) becomes one event. Without an id of ours: (session_id,
 * step) repeats in this log, so `presage feed` makes the id from the file's hash and the row's place in it.
 */
export default function map(row) {
  return {
    type: row.action_type.replaceAll(' ', '_'),
    userId: row.user_id,
    session: row.session_id,
    time: Number(row.timestamp) * 1_000,
    properties: {
      platform: row.platform,
      city: row.city,
      device: row.device,
      step: Number(row.step),
      ...referenceOf(row),
      ...listOf(row),
    },
  };
}

/** What was clicked, searched or chosen. The log says `unknown` where it does not know. */
function referenceOf({ reference }) {
  return reference === '' || reference === 'unknown' ? {} : { reference };
}

/** A click-out comes with the list it was made from: how long it was, and place and price of the hotel in it. */
function listOf({ reference, current_filters: filters, impressions, prices }) {
  const properties = {};
  if (filters !== '') properties.filters = filters.split('|').length;
  if (impressions === '') return properties;
  const hotels = impressions.split('|');
  properties.impressions = hotels.length;
  const place = hotels.indexOf(reference);
  const price = place < 0 ? Number.NaN : Number.parseFloat(prices.split('|')[place] ?? '');
  if (place >= 0) properties.position = place + 1;
  if (Number.isFinite(price)) properties.price = price;
  return properties;
}
