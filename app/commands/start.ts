import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { type StartedInstance, startInstance } from '../start/index.ts';
import { type Context, folderOf, type SharedOptions, withShared } from './context.ts';

interface StartOptions extends SharedOptions {
  readonly data?: string;
  readonly yes?: boolean;
  readonly open: boolean;
  readonly simulate: boolean;
}

export function startCommand(program: Command, context: Context): void {
  withShared(program.command('start'))
    .description('run Presage: all roles in this process, with a private Redis and an embedded ClickHouse')
    .option('-d, --data <dir>', 'where all data lives (default: .presage in the workspace)')
    .option('-y, --yes', 'install Redis without asking where it is missing')
    .option('--no-open', "don't open the console in a browser")
    .option('--no-simulate', 'no simulated shoppers')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage start --workspace examples/shop\n  $ npx presage start --port 8000 --data /var/lib/presage\n\nREDIS_URL and CLICKHOUSE_URL name servers of your own. Ctrl-C stops cleanly; the next start goes on with all data.',
    )
    .action(async (options: StartOptions) => {
      const instance = await startInstance({
        workspace: folderOf(options.workspace),
        data: options.data ?? null,
        port: options.port,
        environment: context.environment,
        yes: options.yes === true,
        simulate: options.simulate,
        say: context.err,
        ask: askOnTerminal,
      });
      context.out(options.json ? JSON.stringify(bannerOf(instance)) : renderBanner(instance));
      if (options.open && context.environment.isTerminal && !context.environment.isCi)
        openInBrowser(instance.signInLink);
      await stopOnSignal(instance, context);
    });
}

const bannerOf = ({ address, signInLink, demo, workspace, data }: StartedInstance) => ({
  address,
  console: signInLink,
  demo,
  docs: `${address}/docs`,
  workspace,
  data,
});

function renderBanner(instance: StartedInstance): string {
  const lines = [
    '',
    `  Presage is running: ${instance.workspaceName}`,
    '',
    `  Console    ${instance.signInLink}   (signs you in, once)`,
    ...(instance.demo === null ? [] : [`  Demo shop  ${instance.demo}`]),
    `  API docs   ${instance.address}/docs`,
    `  Data       ${instance.data}`,
    ...(instance.simulating
      ? [
          '',
          '  Simulated shoppers are moving. They carry a badge; "npx presage reset --demo" removes them and their data.',
        ]
      : []),
    '',
    '  Ctrl-C stops; the next start goes on with all data.',
    '',
  ];
  return lines.join('\n');
}

/** Resolves when the instance has stopped. A second signal ends the process at once. */
async function stopOnSignal(instance: StartedInstance, context: Context): Promise<void> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => resolve(name));
  });
  context.err(`\nStopping (${signal})...`);
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
  await instance.stop();
  context.err('Stopped; all data is kept.');
}

async function askOnTerminal(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

function openInBrowser(address: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  spawn(opener, [address], { stdio: 'ignore', detached: true })
    .on('error', () => {
      // No browser here; the address stands above.
    })
    .unref();
}
