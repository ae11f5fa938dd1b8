import { resolve } from 'node:path';
import type { Command } from 'commander';
import { workspaceJsonSchema } from '../../workspace/index.ts';
import { exitCodes } from '../exit.ts';
import { checkWorkspace, renderCheck } from './check.ts';
import { type Context, folderOf, type SharedOptions, withShared } from './context.ts';

export function checkCommand(program: Command, context: Context): void {
  withShared(program.command('check [dir]'))
    .description('validate a workspace: every mistake with file, line, column and what was expected')
    .option('--json-schema', 'print the JSON Schema of presage.yaml, for editors')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage check examples/shop\n  $ npx presage check --json\n\nExit code 2: there are mistakes.',
    )
    .action(async (dir: string | undefined, options: SharedOptions & { jsonSchema?: boolean }) => {
      if (options.jsonSchema) return context.out(JSON.stringify(workspaceJsonSchema(), null, 2));
      const result = await checkWorkspace(dir === undefined ? folderOf(options.workspace) : resolve(dir));
      const text = options.json ? JSON.stringify(result) : renderCheck(result);
      if (result.ok || options.json) context.out(text);
      else context.err(text);
      if (!result.ok) context.setExitCode(exitCodes.usage);
    });
}
