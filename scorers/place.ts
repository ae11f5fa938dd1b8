import { messageOf } from '../core/index.ts';
import type { CompiledModel } from '../workspace/index.ts';
import { openInline } from './inline-runtime.ts';
import { openChecked, scorerOf } from './onnx.ts';
import { type OnnxModel, readModel } from './onnx-model.ts';
import type { Scorer } from './port.ts';
import { openInProcess, type ProcessLimits, type ProcessRuntime } from './process-runtime.ts';

/** A block that takes longer would keep everything else from the event loop. */
const slowBlockMs = 1;
/** A larger file is a model that is not only arithmetic on a few numbers. */
const largeBytes = 8 * 1024 * 1024;
/** Of how many blocks the quickest counts: the machine may be busy, a model is never quicker than it is. */
const measuredBlocks = 7;
/** A call of a model that serves is given up after this, or after as many times what it was measured to take. */
const hungMs = 1_000;
const hungTimes = 100;

export interface PlacedModel {
  readonly scorer: Scorer;
  readonly runs: 'inline' | 'process';
  /** Milliseconds of one block, as measured. */
  readonly blockMs: number;
  /** What became of the variant in 8-bit integers; absent: there is none. */
  readonly quantised?: string;
}

interface Tried {
  readonly opened: OnnxModel & { readonly runtime: ProcessRuntime };
  readonly bytes: Uint8Array;
  readonly model: CompiledModel;
  readonly blockMs: number;
}

/**
 * Tries a model where it can do no harm, and then has it run in this process if it is small and quick, else in one of
 * its own. Throws PresageError `model_unusable`.
 */
export async function placeModel(model: CompiledModel, limits: ProcessLimits): Promise<PlacedModel> {
  const whole = await tryModel(model, limits);
  const { chosen, quantised } = await withQuantised(whole, limits);
  const { opened, bytes, blockMs } = chosen;
  const told = { blockMs, ...(quantised === undefined ? {} : { quantised }) };
  if (blockMs > slowBlockMs || bytes.length > largeBytes) {
    opened.runtime.limitCalls(Math.max(hungMs, blockMs * hungTimes));
    return { scorer: scorerOf(opened, chosen.model), runs: 'process', ...told };
  }
  await opened.release();
  const inline = await openChecked(chosen.model, bytes, openInline);
  return { scorer: scorerOf(inline, chosen.model), runs: 'inline', ...told };
}

async function tryModel(model: CompiledModel, limits: ProcessLimits): Promise<Tried> {
  const bytes = await readModel(model);
  const opened = await openChecked(model, bytes, (some) => openInProcess(some, limits));
  let blockMs = Number.POSITIVE_INFINITY;
  const block = new Float32Array(model.block * model.inputs.length);
  try {
    for (let n = 0; n < measuredBlocks; n++) {
      await opened.run(block);
      blockMs = Math.min(blockMs, opened.runtime.lastRunMs());
    }
  } catch (error) {
    await opened.release();
    throw error;
  }
  return { opened, bytes, model, blockMs };
}

/** The variant in 8-bit integers where it is as good as its manifest says, else the model itself. */
async function withQuantised(
  whole: Tried,
  limits: ProcessLimits,
): Promise<{ readonly chosen: Tried; readonly quantised?: string }> {
  const { quantised } = whole.model;
  if (quantised === undefined) return { chosen: whole };
  const { path, sha256, bound, rows } = quantised;
  let variant: Tried;
  try {
    variant = await tryModel({ ...whole.model, path, sha256 }, limits);
  } catch (error) {
    return { chosen: whole, quantised: `not used: ${messageOf(error)}` };
  }
  let difference: number;
  try {
    difference = await largestDifference(whole, variant, rows);
  } catch (error) {
    await variant.opened.release();
    return { chosen: whole, quantised: `not used: ${messageOf(error)}` };
  }
  const isGood = difference <= bound;
  await (isGood ? whole : variant).opened.release();
  const words = `differs by ${difference.toPrecision(3)} at most, bound ${bound}`;
  return isGood
    ? { chosen: variant, quantised: `used: ${words}` }
    : { chosen: whole, quantised: `not used: ${words}` };
}

async function largestDifference(
  whole: Tried,
  variant: Tried,
  rows: readonly (readonly number[])[],
): Promise<number> {
  const values = Float32Array.from(rows.flat());
  const [one, other] = await Promise.all(
    [whole, variant].map(({ opened, model }) => scorerOf(opened, model).score(values, rows.length)),
  );
  return Math.max(...rows.map((_, row) => Math.abs((one?.[row] ?? 0) - (other?.[row] ?? 1))));
}
