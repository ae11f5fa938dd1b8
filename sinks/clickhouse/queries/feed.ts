import type { Warehouse } from '../port.ts';

/** What became of the events that one `presage feed` run sent and the log took: each id is in one of the first three. */
export interface FeedTotals {
  readonly new: number;
  readonly duplicate: number;
  readonly dead: number;
  /**
   * How often one of the new ones counted once more: an id that two subjects sent, or a repeat of what identity moved
   * that came after the user's de-duplication window.
   */
  readonly again: number;
  /** Of `new`: later than their type allows. */
  readonly late: number;
}

const taken = 'SELECT tenant, id FROM events WHERE source = {source:String}';
const dead =
  "SELECT tenant, if(event_id = '', concat(toString(partition), ':', toString(position)), event_id) AS id FROM dead_letters WHERE source = {source:String}";

/**
 * Counts by the run's source. An event that the run sent twice, after an interruption, is new once and no duplicate;
 * a duplicate is one that somebody else had sent before. Dead letters whose id can't be read count by their place.
 */
const query = `
SELECT
    (SELECT uniqExact(tenant, id) FROM (${taken})) AS new,
    (SELECT count() - uniqExact(tenant, id) FROM (${taken})) AS again,
    (SELECT uniqExact(tenant, id) FROM (${dead}) WHERE (tenant, id) NOT IN (${taken})) AS dead,
    (
        SELECT uniqExact(tenant, id) FROM duplicates
        WHERE source = {source:String} AND (tenant, id) NOT IN (${taken}) AND (tenant, id) NOT IN (${dead})
    ) AS duplicate,
    (SELECT uniqExactIf((tenant, id), late_ms > 0) FROM events WHERE source = {source:String}) AS late`;

/** `run` as in the source \`feed:<run>\`. */
export async function feedTotals(warehouse: Pick<Warehouse, 'rows'>, run: string): Promise<FeedTotals> {
  const [row] = await warehouse.rows<Record<keyof FeedTotals, string | number>>(query, {
    source: `feed:${run}`,
  });
  return {
    new: Number(row?.new ?? 0),
    duplicate: Number(row?.duplicate ?? 0),
    dead: Number(row?.dead ?? 0),
    again: Number(row?.again ?? 0),
    late: Number(row?.late ?? 0),
  };
}
