import type { Command } from 'commander';
import { type Context, instanceOf, type SharedOptions, withShared } from './context.ts';

export function linkCommand(program: Command, context: Context): void {
  withShared(program.command('link'))
    .description('print a new one-time link that signs in to the console')
    .addHelpText('after', '\nExamples:\n  $ npx presage link\n  $ npx presage link --port 8000')
    .action(async (options: SharedOptions) => {
      const { link } = await (await instanceOf(context, options)).post<{ link: string }>('/api/link', {});
      context.out(options.json ? JSON.stringify({ link }) : link);
    });
}
