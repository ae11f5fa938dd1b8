import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { initWorkspace } from './init.ts';

export function initCommand(program: Command, context: Context): void {
  program
    .command('init <dir>')
    .description('write a first workspace: about 20 commented lines that run as they are')
    .option('--json', 'print JSON for programs')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx presage init my-shop\n  $ npx presage start --workspace my-shop',
    )
    .action(async (dir: string, options: { json?: boolean }) => {
      const folder = resolve(dir);
      const written = await initWorkspace(folder);
      const shown = relative(process.cwd(), folder) || '.';
      context.out(
        options.json
          ? JSON.stringify({ written })
          : `Wrote ${written.map((file) => relative(process.cwd(), file)).join(', ')}.\nNext: npx presage start --workspace ${shown}`,
      );
    });
}
