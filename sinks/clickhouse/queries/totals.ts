import type { Status } from '../../../schemas/index.ts';
import type { Warehouse } from '../port.ts';

type Totals = Status['totals'];

const query = `
SELECT
    (SELECT count() FROM events) AS events,
    (SELECT count() FROM decisions) AS decisions,
    (SELECT count() FROM exposures) AS exposures,
    (SELECT count() FROM outcomes) AS outcomes,
    (SELECT count() FROM dead_letters) AS deadLetters,
    (SELECT countIf(simulated) FROM events) AS simulatedEvents`;

/** How much there is of everything, and how many events are simulated. */
export async function totals(warehouse: Pick<Warehouse, 'rows'>): Promise<Totals> {
  const [row] = await warehouse.rows<Record<keyof Totals, string | number>>(query);
  return {
    events: Number(row?.events ?? 0),
    decisions: Number(row?.decisions ?? 0),
    exposures: Number(row?.exposures ?? 0),
    outcomes: Number(row?.outcomes ?? 0),
    deadLetters: Number(row?.deadLetters ?? 0),
    simulatedEvents: Number(row?.simulatedEvents ?? 0),
  };
}
