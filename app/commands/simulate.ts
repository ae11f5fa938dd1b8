import { resolve } from 'node:path';
import type { Command } from 'commander';
import { PresageError } from '../../core/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { simulate } from '../simulate.ts';
import { type Context, instanceOf, type SharedOptions, withShared } from './context.ts';

export function simulateCommand(program: Command, context: Context): void {
  withShared(program.command('simulate'))
    .description("play the workspace's simulated visitors against a running instance, until Ctrl-C")
    .option('--shoppers <n>', 'how many at a time', numberFrom('--shoppers', 1, 1_000), 12)
    .option('--seed <n>', 'the same seed, the same behaviour', numberFrom('--seed', 0, 2 ** 31), 1)
    .option('-t, --tenant <name>', 'whose visitors (default: the first tenant)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage simulate\n  $ npx presage simulate --shoppers 40 --seed 7 --port 8000\n\nWhat they leave is removed by npx presage reset --demo.',
    )
    .action(async (options: SharedOptions & { shoppers: number; seed: number; tenant?: string }) => {
      const client = await instanceOf(context, options);
      const workspace = await loadWorkspace(client.instance.workspace);
      const declared = workspace.source.simulate?.module;
      if (declared === undefined)
        throw new PresageError(
          'usage',
          'This workspace declares no simulated visitors (simulate.module in presage.yaml).',
        );
      const tenant = options.tenant ?? [...workspace.tenants.keys()][0] ?? '';
      const { key } = await client.post<{ key: string }>('/api/demo/key', { tenant });
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
      context.err(
        `${options.shoppers} simulated visitors of "${tenant}" at ${client.instance.address}; Ctrl-C ends them.`,
      );
      await simulate({
        address: client.instance.address,
        key,
        seed: options.seed,
        shoppers: options.shoppers,
        signal: stop.signal,
        module: resolve(workspace.folder, declared),
      });
    });
}

function numberFrom(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text.trim() !== '' && Number.isInteger(number) && number >= least && number <= most) return number;
    throw new PresageError(
      'usage',
      `${option}: expected a whole number from ${least} to ${most}, got "${text}".`,
    );
  };
}
