import { Command } from 'commander';
import { backtestCommand } from '../commands/backtest.ts';
import { readEnvironment } from '../environment.ts';

/** `presage backtest` in this process, with what it printed. */
export async function presageBacktest(...args: readonly string[]): Promise<{ out: string; err: string }> {
  const printed = { out: '', err: '' };
  const program = new Command('presage').exitOverride().configureOutput({ writeErr: () => {} });
  backtestCommand(program, {
    environment: readEnvironment({}),
    out: (text) => {
      printed.out += `${text}\n`;
    },
    err: (text) => {
      printed.err += `${text}\n`;
    },
    bytes: () => {},
    setExitCode: () => {},
  });
  program.commands[0]?.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync(['node', 'presage', 'backtest', ...args]);
  return printed;
}
