import type { Command } from 'commander';
import type { KeyInfo, MadeKey } from '../../gateway/keys/index.ts';
import { type Context, instanceOf, type SharedOptions, withShared } from './context.ts';

export function keysCommand(program: Command, context: Context): void {
  const keys = program
    .command('keys')
    .description('create, list, rotate and revoke the keys of tenants')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage keys create --tenant shop --public\n  $ npx presage keys list --json',
    );

  withShared(keys.command('create'))
    .description('make a key and print it once; only its hash is kept')
    .requiredOption('-t, --tenant <name>', 'tenant of the key')
    .option('--public', 'a key that may stand in a page: writes events, opens anonymous sessions')
    .option(
      '--scopes <list>',
      'of a secret key: write, session, read, admin (comma-separated)',
      'write,session,read',
    )
    .option('--name <text>', 'what it is for', '')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage keys create --tenant shop --public\n  $ npx presage keys create --tenant shop --scopes write,session --name backend',
    )
    .action(
      async (options: SharedOptions & { tenant: string; public?: boolean; scopes: string; name: string }) => {
        const client = await instanceOf(context, options);
        const made = await client.post<MadeKey>('/api/keys', {
          tenant: options.tenant,
          kind: options.public ? 'public' : 'secret',
          scopes: options.public ? ['write'] : options.scopes.split(',').map((scope) => scope.trim()),
          name: options.name,
        });
        context.out(
          options.json
            ? JSON.stringify(made)
            : `${made.key}\nKeep it: it is not shown again. Its id is ${made.info.id}.`,
        );
      },
    );

  withShared(keys.command('list'))
    .description('list keys, without their secrets')
    .addHelpText('after', '\nExamples:\n  $ npx presage keys list\n  $ npx presage keys list --json')
    .action(async (options: SharedOptions) => {
      const { keys: views } = await (await instanceOf(context, options)).get<{ keys: KeyInfo[] }>(
        '/api/keys',
      );
      context.out(
        options.json
          ? JSON.stringify(views)
          : views.map(lineOf).join('\n') || 'No keys yet: npx presage keys create --tenant NAME',
      );
    });

  withShared(keys.command('rotate <id>'))
    .description('make a successor; the old key works on for 24 h')
    .addHelpText('after', '\nExample:\n  $ npx presage keys rotate key_0123456789ab')
    .action(async (id: string, options: SharedOptions) => {
      const made = await (await instanceOf(context, options)).post<MadeKey>(
        `/api/keys/${encodeURIComponent(id)}/rotate`,
        {},
      );
      context.out(
        options.json
          ? JSON.stringify(made)
          : `${made.key}\nThe old key ${id} works on for 24 h, or until you revoke it.`,
      );
    });

  withShared(keys.command('revoke <id>'))
    .description('end a key at once')
    .addHelpText('after', '\nExample:\n  $ npx presage keys revoke key_0123456789ab')
    .action(async (id: string, options: SharedOptions) => {
      await (await instanceOf(context, options)).post(`/api/keys/${encodeURIComponent(id)}/revoke`, {});
      context.out(
        options.json
          ? JSON.stringify({ id, revoked: true })
          : `${id} is revoked; every process refuses it within 1 s.`,
      );
    });
}

const lineOf = (key: KeyInfo): string =>
  [
    key.id,
    key.tenant,
    key.kind,
    key.scopes.join(','),
    key.name || '-',
    new Date(key.createdAt).toISOString(),
    key.revokedAt === null ? 'active' : 'revoked',
  ].join('  ');
