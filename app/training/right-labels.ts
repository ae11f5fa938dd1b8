import type { RightCalibration } from '../../schemas/index.ts';
import { quoted } from '../../stream/features/sql/index.ts';
import { fitRight, type RightLabel } from '../../training/index.ts';
import type { Ask } from '../parity/port.ts';

/** Bounds memory; the newest are taken. */
const mostLabels = 50_000;

export interface RightLabels {
  readonly labels: readonly RightLabel[];
  /** Of whose scores they are: the model of the newest; null: rules. */
  readonly model: string | null;
  readonly from: number;
  readonly to: number;
  readonly leftOut: { readonly immature: number; readonly otherModel: number };
}

interface Row {
  readonly right: number;
  readonly weight: number;
  readonly mature: number;
  readonly score: number;
  readonly model: string;
  readonly time: number;
}

/** What people said of an action, newest first, with what the model had said of it. */
export async function rightLabels(
  ask: Ask,
  { action, tenant, withSimulated }: { action: string; tenant: string; withSimulated: boolean },
): Promise<RightLabels> {
  const rows =
    await ask<Row>(`SELECT toUInt8(l.right) AS right, l.weight AS weight, toUInt8(l.mature) AS mature,
  assumeNotNull(d.accept_probability) AS score, d.model_sha256 AS model, toFloat64(toUnixTimestamp64Milli(l.time)) AS time
  FROM review_labels AS l INNER JOIN decisions AS d ON d.id = l.decision AND d.tenant = l.tenant
  WHERE l.action = ${quoted(action)} AND l.tenant = ${quoted(tenant)} AND d.accept_probability IS NOT NULL
  ${withSimulated ? '' : 'AND NOT l.simulated'}
  ORDER BY l.time DESC, l.decision LIMIT ${mostLabels}`);
  const mature = rows.filter((row) => Number(row.mature) === 1);
  const model = mature[0]?.model ?? '';
  const used = mature.filter((row) => row.model === model);
  return {
    labels: used.map(({ score, right, weight }) => ({
      score: Number(score),
      isRight: Number(right) === 1,
      weight: Number(weight),
    })),
    model: model === '' ? null : model,
    from: Number(used.at(-1)?.time ?? 0),
    to: Number(used[0]?.time ?? 0),
    leftOut: { immature: rows.length - mature.length, otherModel: mature.length - used.length },
  };
}

export function calibrationOf(action: string, { labels, model, from, to }: RightLabels): RightCalibration {
  const { x, y } = fitRight(labels);
  return { calibration: 1, target: 'right', action, model, labels: labels.length, from, to, x, y };
}
