import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Runtime, sessionOptions } from './runtime.ts';

/** A graph in this process: a call takes the event loop for as long as it takes. */
export async function openInline(bytes: Uint8Array): Promise<Runtime> {
  const session = await InferenceSession.create(bytes, sessionOptions);
  return {
    inputs: session.inputMetadata,
    outputs: session.outputMetadata,
    async run(input, data, dims, output) {
      const value = (await session.run({ [input]: new Tensor('float32', data, dims) }, [output]))[output];
      if (value === undefined) return undefined;
      return {
        type: value.type,
        dims: value.dims,
        data: value.data instanceof Float32Array ? value.data : null,
      };
    },
    release: () => session.release(),
  };
}
