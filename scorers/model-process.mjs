// A process that holds one ONNX model and runs it for its parent: see process-runtime.ts, which starts and ends it.
import { InferenceSession, Tensor } from 'onnxruntime-node';

let session = null;

const firstLine = (error) => String(error?.message ?? error).split('\n')[0];

process.on('message', async (message) => {
  const { id } = message;
  try {
    if (message.ask === 'open') {
      session = await InferenceSession.create(message.bytes, message.options);
      process.send({ id, inputs: session.inputMetadata, outputs: session.outputMetadata });
      return;
    }
    const feeds = { [message.input]: new Tensor('float32', message.data, message.dims) };
    const begun = performance.now();
    const value = (await session.run(feeds, [message.output]))[message.output];
    const ms = performance.now() - begun;
    const output =
      value === undefined
        ? undefined
        : {
            type: value.type,
            dims: [...value.dims],
            data: value.data instanceof Float32Array ? value.data : null,
          };
    process.send({ id, output, ms });
  } catch (error) {
    process.send({ id, error: firstLine(error) });
  }
});
// Nobody is left to run it for.
process.on('disconnect', () => process.exit(0));
