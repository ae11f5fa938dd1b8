import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/**
 * Processes of a benchmark talk in messages `{ say, ... }`: each says `ready`, is told what it waits for, and says
 * `done` with what it measured.
 */
export interface Message {
  readonly say: string;
  readonly [more: string]: unknown;
}

/** A process of the benchmark, as the one that started it sees it. */
export interface Member {
  readonly pid: number;
  tell(message: Message): void;
  /** The next message of that sort. Rejects when the process ends without it. */
  heard(say: string): Promise<Message>;
  stop(): Promise<void>;
}

/** Starts a bundle of benchmarks/run.mjs. */
export function startMember(bundle: string, settings: object): Member {
  const path = join(process.cwd(), '.presage', 'bench', `${bundle}.mjs`);
  const child: ChildProcess = fork(path, [JSON.stringify(settings)], { execArgv: ['--enable-source-maps'] });
  const kept: Message[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };
  let ended: string | null = null;
  child.on('message', (message) => {
    kept.push(message as Message);
    wake();
  });
  const gone = new Promise<void>((resolve) => {
    const end = (how: string): void => {
      ended ??= how;
      wake();
      resolve();
    };
    child.once('exit', (code, signal) => end(`ended with ${code ?? signal}`));
    child.once('error', (error) => end(error.message));
  });
  return {
    pid: child.pid ?? 0,
    tell: (message) => void child.send(message),
    heard: (say) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const at = kept.findIndex((message) => message.say === say);
          if (at < 0 && ended === null) return;
          waiting.delete(look);
          const [message] = at < 0 ? [] : kept.splice(at, 1);
          if (message === undefined) reject(new Error(`${bundle} ${ended}; "${say}" was waited for`));
          else resolve(message);
        };
        waiting.add(look);
        look();
      }),
    async stop() {
      if (ended === null) child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(patience);
    },
  };
}

/** The other side: what this process was started with. */
export const settingsOf = <T>(): T => JSON.parse(process.argv[2] ?? '{}') as T;

export function say(message: Message): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
}

/** The next message of that sort from whoever started this process. */
export const told = (what: string): Promise<Message> =>
  new Promise((resolve) => {
    const look = (message: unknown): void => {
      if ((message as Message).say !== what) return;
      process.off('message', look);
      resolve(message as Message);
    };
    process.on('message', look);
  });
