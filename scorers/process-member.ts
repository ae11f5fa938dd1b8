import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { InferenceSession } from 'onnxruntime-node';
import type { RuntimeOutput, ValueMetadata } from './runtime.ts';

/** One process with one model, from its start to its end. */
export interface Member {
  readonly pid: number | undefined;
  readonly inputs: readonly ValueMetadata[];
  readonly outputs: readonly ValueMetadata[];
  open(bytes: Uint8Array, options: InferenceSession.SessionOptions, withinMs: number): Promise<void>;
  run(
    call: {
      readonly input: string;
      readonly data: Float32Array;
      readonly dims: readonly [number, number];
      readonly output: string;
    },
    withinMs: number,
  ): Promise<{ readonly output?: RuntimeOutput; readonly ms?: number }>;
  /** Ends it, whatever it is doing; what was asked of it is rejected with `why`. */
  end(why: string): void;
}

interface Answer {
  readonly id: number;
  readonly error?: string;
  readonly inputs?: readonly ValueMetadata[];
  readonly outputs?: readonly ValueMetadata[];
  readonly output?: RuntimeOutput;
  readonly ms?: number;
}

interface Asked {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** How often the memory of a process that is at work is looked at. */
const lookEveryMs = 25;
const pageBytes = 4_096;

/** Starts the process. `onEnd` is called once, when it is gone or given up. */
export function makeMember(residentBytes: number, onEnd: () => void): Member {
  const child = fork(fileURLToPath(new URL('./model-process.mjs', import.meta.url)), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // Neither flags nor secrets of the program are any business of a model.
    execArgv: [],
    env: {},
  });
  const asked = new Map<number, Asked>();
  let lastId = 0;
  let hasEnded = false;
  let inputs: readonly ValueMetadata[] = [];
  let outputs: readonly ValueMetadata[] = [];

  function end(why: string): void {
    if (hasEnded) return;
    hasEnded = true;
    child.kill('SIGKILL');
    for (const { reject } of asked.values()) reject(new Error(why));
    asked.clear();
    onEnd();
  }

  child.on('message', (message) => {
    const answer = message as Answer;
    const { resolve, reject } = asked.get(answer.id) ?? {};
    asked.delete(answer.id);
    if (answer.error === undefined) resolve?.(answer);
    else reject?.(new Error(answer.error));
  });
  child.on('error', (error) => end(`its process failed: ${error.message}`));
  child.once('exit', (code, signal) => end(`its process ended with ${signal ?? code}`));
  // What waits for an answer has a timer; an idle process keeps nobody's program alive.
  child.unref();
  child.channel?.unref();

  async function ask(message: object, withinMs: number): Promise<Answer> {
    if (hasEnded) throw new Error('its process has ended');
    const id = ++lastId;
    const answer = new Promise<Answer>((resolve, reject) => {
      asked.set(id, { resolve, reject });
    });
    const timer = setTimeout(() => end(`it did not end within ${withinMs} ms`), withinMs);
    const look = setInterval(() => void lookAtMemory(), lookEveryMs);
    look.unref();
    try {
      child.send({ id, ...message }, (error) => {
        if (error !== null) end(`its process cannot be reached: ${error.message}`);
      });
      return await answer;
    } finally {
      clearTimeout(timer);
      clearInterval(look);
    }
  }

  async function lookAtMemory(): Promise<void> {
    const bytes = await residentOf(child.pid);
    if (bytes <= residentBytes) return;
    end(`it takes more than ${Math.round(residentBytes / 1_048_576)} MiB of memory`);
  }

  return {
    pid: child.pid,
    get inputs() {
      return inputs;
    },
    get outputs() {
      return outputs;
    },
    async open(bytes, options, withinMs) {
      const opened = await ask({ ask: 'open', bytes, options }, withinMs).catch((error: unknown) => {
        end('it could not be loaded');
        throw error;
      });
      inputs = opened.inputs ?? [];
      outputs = opened.outputs ?? [];
    },
    run: (call, withinMs) => ask({ ask: 'run', ...call }, withinMs),
    end,
  };
}

/** Bytes in memory of a process; 0 where that cannot be told. */
async function residentOf(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  return Number(text.split(' ')[1] ?? 0) * pageBytes;
}
