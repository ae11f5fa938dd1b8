import type { CompiledModel } from '../workspace/index.ts';

/** Scores rows of numbers. Adapters: ONNX in this process or in one of its own; a fixed table in tests. */
export interface Scorer {
  readonly model: CompiledModel;
  /**
   * Acceptance probability per row. `rows` is row-major [count, model.inputs.length] float32. Each row's result
   * depends on that row alone. Rejects with PresageError `scorer_failed`, and what `loadScorers` gives also with
   * `timed_out` after `withinMs`, `breaker_open` and `busy`.
   */
  score(rows: Float32Array, count: number, withinMs?: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Loaded scorers by model id. */
export interface Scorers {
  get(modelId: string): Scorer | undefined;
  close(): Promise<void>;
}
