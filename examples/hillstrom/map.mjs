/**
 * One customer of Hillstrom's e-mail experiment (MineThatData, 2008): 64,000 customers, by lot a third each the men's
 * e-mail, the women's, or none. The reward is a visit within two weeks.
 */
export default function map(row) {
  return {
    action: row.segment,
    propensity: 1 / 3,
    reward: Number(row.visit),
    context: {
      recency: Number(row.recency),
      history: Math.log(Number(row.history)),
      segment: row.history_segment,
      mens: row.mens === '1',
      womens: row.womens === '1',
      zip: row.zip_code,
      newbie: row.newbie === '1',
      channel: row.channel,
    },
  };
}
