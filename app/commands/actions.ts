import type { Command } from 'commander';
import type { StopResult } from '../../schemas/index.ts';
import { type Context, instanceOf, type SharedOptions, withShared } from './context.ts';

export function actionsCommand(program: Command, context: Context): void {
  const actions = program
    .command('actions')
    .description('the stop switch: stop every action at once, or let them go on')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage actions stop --reason "wrong prices"\n  $ npx presage actions resume',
    );
  for (const [name, description] of [
    ['stop', 'decisions go on and are recorded, nothing is delivered'],
    ['resume', 'deliver again'],
  ] as const) {
    withShared(actions.command(name))
      .description(description)
      .option('-t, --tenant <name>', 'only this tenant')
      .option('--reason <text>', 'why, for the record')
      .addHelpText('after', `\nExample:\n  $ npx presage actions ${name} --tenant shop`)
      .action(async (options: SharedOptions & { tenant?: string; reason?: string }) => {
        const client = await instanceOf(context, options);
        const result = await client.post<StopResult>(`/api/actions/${name}`, {
          tenant: options.tenant,
          reason: options.reason,
        });
        context.out(
          options.json
            ? JSON.stringify(result)
            : result.tenants
                .map((tenant) => `${tenant.name}  ${tenant.stopped ? 'STOPPED' : 'acting'}`)
                .join('\n'),
        );
      });
  }
}
