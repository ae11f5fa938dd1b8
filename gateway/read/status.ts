import type { Clock, Logger } from '../../core/index.ts';
import { messageOf } from '../../core/index.ts';
import type { Status } from '../../schemas/index.ts';
import { totals } from '../../sinks/clickhouse/index.ts';
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
      known = await totals(warehouse);
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
