import { PresageError } from '../../core/index.ts';
import { DecisionLogWriter, ownDecision, readDecision } from '../../replay/index.ts';
import type { DecisionRecord } from '../../schemas/index.ts';
import { quoted } from '../../stream/features/sql/index.ts';
import type { Ask } from '../parity/port.ts';
import type { PolicyOfDecision } from './policy-file.ts';
import type { ReadLog } from './read-log.ts';

export interface OwnOptions {
  readonly placement: string;
  /** null: of all. */
  readonly tenant: string | null;
  /** The outcome that is rewarded. */
  readonly outcome: string;
  /** Decided before this: later ones may still be answered. Unix milliseconds. */
  readonly before: number;
  readonly withSimulated: boolean;
}

/** A record is some kilobytes, and an answer has a limit (queryLimits). */
const page = 500;

/** Reads the engine's own decisions with what came of them, page by page in the order of their ids. */
export async function readOwnDecisions(
  ask: Ask,
  options: OwnOptions,
  policy: PolicyOfDecision | null,
): Promise<ReadLog & { readonly notes: readonly string[] }> {
  const writer = new DecisionLogWriter();
  const firstRejects: { row: number; problem: string }[] = [];
  const unlabelled = { 'not shown': 0, 'not delivered': 0 };
  let read = 0;
  let rejected = 0;
  let taken = 0;
  for (let last = ''; ; ) {
    const rows = await ask<Record<string, unknown>>(pageOf(options, last));
    for (const row of rows) {
      last = String(row.id);
      read++;
      const record = JSON.parse(String(row.record)) as DecisionRecord;
      const own = ownDecision(record, { shown: names(row.shown), rewarded: names(row.rewarded) });
      if (own.kind === 'unlabelled') {
        unlabelled[own.why]++;
        continue;
      }
      for (const decision of own.decisions) {
        const found = readDecision(
          policy === null ? decision : { ...decision, policy: policy(decision, { ...record }) },
        );
        if ('problem' in found) {
          rejected++;
          if (firstRejects.length < 10)
            firstRejects.push({ row: read, problem: `${last}: ${found.problem}` });
        } else {
          taken++;
          writer.add(found);
        }
      }
    }
    if (rows.length < page) break;
  }
  const log = writer.finish();
  if (log.rows === 0) throw nothingToTell(options.placement, { read, taken, unlabelled });
  const notes = [];
  if (unlabelled['not shown'] > 0)
    notes.push(
      `unshown: ${unlabelled['not shown']} of ${read} decisions were never shown and have no label; where being shown has to do with what was chosen, estimates are off`,
    );
  return { log, read, rejected, firstRejects, notes };
}

function pageOf({ placement, tenant, outcome, before, withSimulated }: OwnOptions, last: string): string {
  const conditions = [
    `placement = ${quoted(placement)}`,
    `id > ${quoted(last)}`,
    `decided < fromUnixTimestamp64Milli(toInt64(${Math.floor(before)}))`,
    ...(tenant === null ? [] : [`tenant = ${quoted(tenant)}`]),
    ...(withSimulated ? [] : ['NOT simulated']),
  ];
  const of = 'decision IN (SELECT id FROM page)';
  return `WITH page AS (SELECT id, tenant, record FROM decisions WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT ${page})
SELECT page.id AS id, any(page.record) AS record, groupUniqArray(e.action) AS shown, groupUniqArray(o.action) AS rewarded
FROM page
LEFT JOIN (SELECT decision, tenant, toString(action) AS action FROM exposures WHERE ${of}) AS e ON e.decision = page.id AND e.tenant = page.tenant
LEFT JOIN (SELECT decision, tenant, toString(action) AS action FROM outcomes WHERE outcome = ${quoted(outcome)} AND ${of}) AS o ON o.decision = page.id AND o.tenant = page.tenant
GROUP BY page.id ORDER BY id`;
}

const names = (list: unknown): ReadonlySet<string> =>
  new Set(Array.isArray(list) ? list.map(String).filter((name) => name !== '') : []);

function nothingToTell(
  placement: string,
  seen: { read: number; taken: number; unlabelled: Readonly<Record<'not shown' | 'not delivered', number>> },
): PresageError {
  const why =
    seen.read === 0
      ? 'there are none of it that are old enough (--older-than) and not simulated (--with-simulated)'
      : seen.taken > 0
        ? `all ${seen.taken} that were shown are deterministic. Where nothing is drawn, nothing can be told of another policy`
        : `of ${seen.read}, ${seen.unlabelled['not shown']} were not shown and ${seen.unlabelled['not delivered']} not delivered`;
  return new PresageError('file_unreadable', `Placement ${placement} has no decisions to tell from: ${why}.`);
}
