import type { Clock, Logger } from '../../core/index.ts';
import { messageOf } from '../../core/index.ts';
import type { Status } from '../../schemas/index.ts';
import type { GatewayDeps } from '../deps.ts';

type Totals = Status['totals'];

export interface TotalsReader {
  /** At most 2 s old; the last known ones while ClickHouse is away (its role's state says so), zeros before the first. */
  read(): Promise<Totals>;
}

const keepMs = 2_000;
const unknown: Totals = {
  events: 0,
  decisions: 0,
  exposures: 0,
  outcomes: 0,
  deadLetters: 0,
  simulatedEvents: 0,
};

/** One query for however many consoles ask. */
export function makeTotals(warehouse: GatewayDeps['warehouse'], clock: Clock, logger: Logger): TotalsReader {
  let known = unknown;
  let asked: { at: number; answer: Promise<Totals> } | null = null;

  async function ask(): Promise<Totals> {
    if (warehouse === null) return unknown;
    try {
      const [row] = await warehouse.rows<Record<keyof Totals, string | number>>(totalsQuery);
      if (row !== undefined) {
        known = {
          events: Number(row.events),
          decisions: Number(row.decisions),
          exposures: Number(row.exposures),
          outcomes: Number(row.outcomes),
          deadLetters: Number(row.deadLetters),
          simulatedEvents: Number(row.simulatedEvents),
        };
      }
    } catch (error) {
      logger.warn({ err: messageOf(error) }, 'Totals could not be read from ClickHouse');
    }
    return known;
  }

  return {
    read: () => {
      const now = clock.monotonic();
      if (asked === null || now - asked.at >= keepMs) asked = { at: now, answer: ask() };
      return asked.answer;
    },
  };
}

const totalsQuery = `
SELECT
  (SELECT count() FROM events) AS events,
  (SELECT count() FROM decisions) AS decisions,
  (SELECT count() FROM exposures) AS exposures,
  (SELECT count() FROM outcomes) AS outcomes,
  (SELECT count() FROM dead_letters) AS deadLetters,
  (SELECT countIf(simulated) FROM events) AS simulatedEvents`;
