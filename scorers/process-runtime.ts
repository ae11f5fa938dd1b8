import { type Member, makeMember } from './process-member.ts';
import { type Runtime, sessionOptions } from './runtime.ts';

export interface ProcessLimits {
  /** Milliseconds to start the process and to load the graph, and for one call. */
  readonly openMs: number;
  readonly runMs: number;
  /** Of the process, with the runtime in it; looked at where the system has /proc. */
  readonly residentBytes: number;
}

export const processLimits: ProcessLimits = {
  openMs: 60_000,
  runMs: 10_000,
  residentBytes: 1_536 * 1024 * 1024,
};

export interface ProcessRuntime extends Runtime {
  /** From now on a call may take so long; a process that takes longer is ended, and another one started. */
  limitCalls(runMs: number): void;
  /** Milliseconds that the last call took inside of the process. */
  lastRunMs(): number;
  /** Of the process that serves now; undefined: there is none. */
  pid(): number | undefined;
}

/**
 * A graph in a process of its own. A thread cannot be ended while it is inside of the runtime, nor can the program that
 * has it; a process can, whatever it is doing, and takes nothing along. One that hangs, grows over its memory or dies
 * is ended, and made anew at the next call. Rejects when the first one cannot be made.
 */
export async function openInProcess(
  bytes: Uint8Array,
  limits: ProcessLimits = processLimits,
): Promise<ProcessRuntime> {
  let { runMs } = limits;
  let isReleased = false;
  let lastMs = 0;
  let serving: Promise<Member> | null = null;
  let now: Member | null = null;

  function member(): Promise<Member> {
    if (isReleased) return Promise.reject(new Error('it was closed'));
    if (serving !== null) return serving;
    const begun: Promise<Member> = open();
    serving = begun;
    return begun;

    async function open(): Promise<Member> {
      const made = makeMember(limits.residentBytes, () => {
        if (serving === begun) serving = null;
        if (now === made) now = null;
      });
      now = made;
      await made.open(bytes, sessionOptions, limits.openMs);
      return made;
    }
  }

  const { inputs, outputs } = await member();
  return {
    inputs,
    outputs,
    async run(input, data, dims, output) {
      const { output: value, ms = 0 } = await (await member()).run({ input, data, dims, output }, runMs);
      lastMs = ms;
      return value;
    },
    lastRunMs: () => lastMs,
    limitCalls(ms) {
      runMs = ms;
    },
    pid: () => now?.pid,
    async release() {
      isReleased = true;
      now?.end('it was closed');
    },
  };
}
