import type { Warehouse } from '../port.ts';

/** What became of the events that one `presage feed` run sent and the log took. */
export interface FeedTotals {
  readonly new: number;
  readonly duplicate: number;
  readonly dead: number;
  /** Of `new`: more than an hour behind the watermark. */
  readonly late: number;
}

/**
 * Counts by the run's source. An event that the run sent twice, after an interruption, is new once and no duplicate;
 * a duplicate is one that somebody else had sent before. Dead letters whose id can't be read count by their place.
 */
const query = `
SELECT
    (SELECT count() FROM events WHERE source = {source:String}) AS new,
    (
        SELECT uniqExact(tenant, id) FROM duplicates
        WHERE source = {source:String}
            AND (tenant, id) NOT IN (SELECT tenant, id FROM events WHERE source = {source:String})
    ) AS duplicate,
    (
        SELECT uniqExact(tenant, if(event_id = '', concat(toString(partition), ':', toString(position)), event_id))
        FROM dead_letters WHERE source = {source:String}
    ) AS dead,
    (SELECT countIf(late_ms > 0) FROM events WHERE source = {source:String}) AS late`;

/** `run` as in the source \`feed:<run>\`. */
export async function feedTotals(warehouse: Pick<Warehouse, 'rows'>, run: string): Promise<FeedTotals> {
  const [row] = await warehouse.rows<Record<keyof FeedTotals, string | number>>(query, {
    source: `feed:${run}`,
  });
  return {
    new: Number(row?.new ?? 0),
    duplicate: Number(row?.duplicate ?? 0),
    dead: Number(row?.dead ?? 0),
    late: Number(row?.late ?? 0),
  };
}
