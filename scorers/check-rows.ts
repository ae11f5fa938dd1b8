import { messageOf } from '../core/index.ts';
import type { CompiledModel } from '../workspace/index.ts';
import { type OnnxModel, unusable } from './onnx-model.ts';

/**
 * Tries a model before it is used: the same row must get the same bits wherever it stands in a block and whoever stands
 * beside it. A graph that normalises over the batch, or a kernel that treats the block's edge differently, would make
 * decisions depend on batch boundaries. Throws PresageError `model_unusable`.
 */
export async function checkRows(opened: OnnxModel, model: CompiledModel): Promise<void> {
  const probes = probeRows(model);
  const alone: number[] = [];
  for (const probe of probes) {
    const scores = await tryBlock(opened, model, () => probe);
    const [first = Number.NaN] = scores;
    alone.push(first);
    if (scores.some((score) => !Object.is(score, first))) throw influenced(model);
    if (first < -1e-5 || first > 1 + 1e-5) {
      throw unusable(
        model,
        `gives ${first}, which is not a probability. Export it with its last step (sigmoid or softmax) inside.`,
      );
    }
  }
  const mixed = await tryBlock(opened, model, (row) => probes[row % probes.length]);
  if (mixed.some((score, row) => !Object.is(score, alone[row % probes.length]))) throw influenced(model);
}

async function tryBlock(
  opened: OnnxModel,
  model: CompiledModel,
  rowAt: (row: number) => Float32Array | undefined,
): Promise<Float32Array> {
  const width = model.inputs.length;
  const block = new Float32Array(model.block * width);
  for (let row = 0; row < model.block; row++) block.set(rowAt(row) ?? [], row * width);
  try {
    return await opened.run(block);
  } catch (cause) {
    throw unusable(model, `failed when it was tried with ${model.block} rows. ${messageOf(cause)}`, cause);
  }
}

function influenced(model: CompiledModel) {
  const advice =
    model.block === 1
      ? 'Export it without random steps'
      : 'Write "block: 1" in the workspace, or export it without steps over the whole batch';
  return unusable(model, `scores a row differently beside other rows. ${advice}.`);
}

/** A row of missing values, and a few of plausible size; the same for every run. */
function probeRows(model: CompiledModel): Float32Array[] {
  const missing = Float32Array.from(model.inputs, (input) => model.defaults[input] ?? model.missing);
  const others = [1, 10, 100].map((scale, probe) =>
    Float32Array.from(model.inputs, (_, column) => (((column * 7 + probe * 13 + 5) % 11) / 11) * scale),
  );
  return [missing, ...others];
}
