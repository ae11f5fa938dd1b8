import type { InferenceSession } from 'onnxruntime-node';

export type ValueMetadata = InferenceSession.ValueMetadata;

/** One answer of a graph. `data` is null where it is not float32. */
export interface RuntimeOutput {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | null;
}

/** An ONNX graph that is loaded somewhere. */
export interface Runtime {
  readonly inputs: readonly ValueMetadata[];
  readonly outputs: readonly ValueMetadata[];
  /** Runs float32 `data` of shape `dims` as `input`; undefined: there is no such output. Rejects with the runtime's error. */
  run(
    input: string,
    data: Float32Array,
    dims: readonly [number, number],
    output: string,
  ): Promise<RuntimeOutput | undefined>;
  release(): Promise<void>;
}

/** One thread and one order of operations: the same row has to give the same bits every time. */
export const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  // Errors come as exceptions; the runtime's own lines on stderr would only repeat them.
  logSeverityLevel: 4,
};
