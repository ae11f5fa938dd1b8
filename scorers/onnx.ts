import type { CompiledModel } from '../workspace/index.ts';
import { calibrated } from './calibrate.ts';
import { checkRows } from './check-rows.ts';
import { openInline } from './inline-runtime.ts';
import { failed, type OnnxModel, openModel, readModel } from './onnx-model.ts';
import type { Scorer } from './port.ts';
import type { Runtime } from './runtime.ts';

/** Sums of a forest's probabilities may pass 1 by rounding; anything beyond is no probability. */
const roundingSlack = 1e-5;

/**
 * Loads one ONNX model into this process, untried: `loadScorers` tries what it does not know in a process of its own
 * first. It always runs blocks of exactly `model.block` rows, the last one padded with zeros, and has been looked at at
 * load, so that a row's score depends on that row alone, bit for bit.
 * Throws PresageError `model_unusable`: unreadable, corrupt, other inputs or outputs than expected, rows that influence
 * each other.
 */
export async function loadScorer(model: CompiledModel): Promise<Scorer> {
  return scorerOf(await openChecked(model, await readModel(model), openInline), model);
}

/** Opens a model's bytes and looks whether each row is scored by itself. Throws as `loadScorer`. */
export async function openChecked<R extends Runtime>(
  model: CompiledModel,
  bytes: Uint8Array,
  open: (bytes: Uint8Array) => Promise<R>,
): Promise<OnnxModel & { readonly runtime: R }> {
  const opened = await openModel(model, bytes, open);
  try {
    await checkRows(opened, model);
  } catch (error) {
    await opened.release();
    throw error;
  }
  return opened;
}

/** Scores any number of rows with an opened model, block by block. */
export function scorerOf(opened: OnnxModel, model: CompiledModel): Scorer {
  const width = model.inputs.length;
  const calls = new Set<Promise<Float32Array>>();
  let isClosed = false;

  async function scoreBlocks(rows: Float32Array, count: number): Promise<Float32Array> {
    const scores = new Float32Array(count);
    for (let first = 0; first < count; first += model.block) {
      const some = Math.min(model.block, count - first);
      const block = blockOf(rows, first * width, some * width, model.block * width);
      const probabilities = await opened.run(block);
      for (let row = 0; row < some; row++) {
        const probability = probabilityOf(probabilities[row], model, first + row);
        scores[first + row] =
          model.calibration === undefined ? probability : calibrated(model.calibration, probability);
      }
    }
    return scores;
  }

  return {
    model,
    async score(rows, count) {
      if (isClosed) throw failed(model, 'it has been closed');
      if (rows.length !== count * width) {
        throw failed(model, `expected ${count} rows of ${width} numbers but found ${rows.length} numbers`);
      }
      const call = scoreBlocks(rows, count);
      calls.add(call);
      try {
        return await call;
      } finally {
        calls.delete(call);
      }
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      // A session must not go away under a call: the runtime is native code.
      await Promise.allSettled(calls);
      await opened.release();
    },
  };
}

/** A full block is a view; only the last one is copied, into zeros. */
function blockOf(rows: Float32Array, from: number, length: number, full: number): Float32Array {
  if (length === full) return rows.subarray(from, from + length);
  const block = new Float32Array(full);
  block.set(rows.subarray(from, from + length));
  return block;
}

function probabilityOf(value: number | undefined, model: CompiledModel, row: number): number {
  if (value !== undefined && value >= 0 && value <= 1) return value;
  if (value !== undefined && value > -roundingSlack && value < 1 + roundingSlack) {
    return Math.min(Math.max(value, 0), 1);
  }
  throw failed(model, `row ${row} got ${value}, which is not a probability`, { row });
}
