#!/usr/bin/env node
import { writeFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { messageOf } from '../core/index.ts';
import { actionsCommand } from './commands/actions.ts';
import { backtestCommand } from './commands/backtest.ts';
import { applyCommand, rebuildCommand } from './commands/builds.ts';
import { calibrateCommand } from './commands/calibrate.ts';
import { checkCommand } from './commands/check-command.ts';
import type { Context } from './commands/context.ts';
import { explainCommand } from './commands/explain.ts';
import { featuresCommand } from './commands/features.ts';
import { feedCommand } from './commands/feed.ts';
import { inferCommand } from './commands/infer.ts';
import { initCommand } from './commands/init-command.ts';
import { keysCommand } from './commands/keys.ts';
import { linkCommand } from './commands/link.ts';
import { repartitionCommand } from './commands/repartition.ts';
import { resetCommand } from './commands/reset.ts';
import { schemasCommand } from './commands/schemas.ts';
import { simulateCommand } from './commands/simulate.ts';
import { sqlCommand } from './commands/sql.ts';
import { startCommand } from './commands/start.ts';
import { stateCommand } from './commands/state.ts';
import { trainCommand } from './commands/train.ts';
import { readEnvironment } from './environment.ts';
import { exitCodeOf, exitCodes } from './exit.ts';
import { version } from './version.ts';

const context: Context = {
  environment: readEnvironment(),
  out: (text) => process.stdout.write(`${text}\n`),
  bytes: (bytes) => writeFileSync(1, bytes),
  err: (text) => process.stderr.write(`${text}\n`),
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

const program = new Command('presage')
  .description('Streaming real-time analytics and decision engine')
  .version(version)
  .showHelpAfterError('(--help shows what is possible)')
  .exitOverride()
  .addHelpText(
    'after',
    `\nExit codes: ${exitCodes.ok} done, ${exitCodes.failed} failed, ${exitCodes.usage} a mistake in arguments or input, ${exitCodes.instance} no such instance, ${exitCodes.unaccounted} events not accounted for, ${exitCodes.interrupted} interrupted.`,
  );

for (const add of [
  startCommand,
  initCommand,
  checkCommand,
  feedCommand,
  sqlCommand,
  inferCommand,
  schemasCommand,
  featuresCommand,
  applyCommand,
  rebuildCommand,
  repartitionCommand,
  keysCommand,
  actionsCommand,
  stateCommand,
  explainCommand,
  linkCommand,
  simulateCommand,
  backtestCommand,
  trainCommand,
  calibrateCommand,
  resetCommand,
]) {
  add(program, context);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else {
    // A person sees the sentence; the stack only helps where the fault is ours.
    context.err(`presage: ${messageOf(error)}`);
    if (context.environment.logLevel === 'debug' && error instanceof Error) context.err(error.stack ?? '');
    process.exitCode = exitCodeOf(error);
  }
}
// Libraries with native threads must not keep a finished command alive.
process.exit();
