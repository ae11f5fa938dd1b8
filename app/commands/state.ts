import type { Command } from 'commander';
import type { FeatureValue, SubjectStateContents } from '../../schemas/index.ts';
import { type Context, instanceOf, type SharedOptions, withShared } from './context.ts';

export function stateCommand(program: Command, context: Context): void {
  const state = program
    .command('state')
    .description('look into what the engine keeps')
    .addHelpText('after', '\nExample:\n  $ npx presage state inspect u:42 --tenant shop');
  withShared(state.command('inspect <subject>'))
    .description("a subject's state, decoded; the subject is u:<userId>, a:<anonymousId>, or a plain user id")
    .option('-t, --tenant <name>', "whose subject (default: the workspace's only tenant)")
    .addHelpText('after', '\nExample:\n  $ npx presage state inspect a:visitor-7 --tenant shop --json')
    .action(async (subject: string, options: SharedOptions & { tenant?: string }) => {
      const client = await instanceOf(context, options);
      const query = options.tenant === undefined ? '' : `?tenant=${encodeURIComponent(options.tenant)}`;
      const path = `/api/subjects/${encodeURIComponent(subject)}/state${query}`;
      const contents = await client.get<SubjectStateContents>(path);
      context.out(options.json ? JSON.stringify(contents) : renderState(contents));
    });
}

/** Lines for people: one fact a line, features last. */
export function renderState(state: SubjectStateContents): string {
  const { blob, remembered, timers } = state;
  const lines = [
    ['subject', `${state.subject} of ${state.tenant}, partition ${state.partition}`],
    ['reflects', `the log up to position ${state.position}`],
    ['newest event', at(state.newest)],
    ['blob', `${blob.bytes} bytes, version ${blob.version}`],
    ['session', state.session ?? 'none'],
    ...state.sessions.map(({ name, first, last }) => [
      '  remembered',
      `${name ?? 'a visit'}: ${at(first)} to ${at(last)}`,
    ]),
    ...(state.moved === null ? [] : [['identity', `is ${state.moved.to} now; only this link is left`]]),
    ...state.links.map(({ anonymousId, hasArrived }) => [
      'identity',
      `was ${anonymousId} too; its state ${hasArrived ? 'has arrived' : 'has not arrived yet, if there is any'}`,
    ]),
    ['event ids', `${remembered.ids} kept against repeats, the oldest of ${at(remembered.oldest)}`],
    ['timers', timers.due === null ? 'none' : `looked at next at ${at(timers.due)}`],
    ...timers.pending.map(({ trigger, key, due }) => [
      '  waits',
      `${trigger}${key === '' ? '' : ` for ${key}`}, due ${at(due)}`,
    ]),
    ...timers.held.map(({ trigger, isTrue, firedAt }) => [
      '  condition',
      `${trigger} ${isTrue ? 'holds' : 'does not hold'}${firedAt === null ? '' : `, cools down since ${at(firedAt)}`}`,
    ]),
    ...state.caps.map(({ cap, used, limit }) => ['cap', `${cap}: ${used} of ${limit} used`]),
    ...state.features.flatMap(({ name, kind, value, words }) => [
      ['feature', `${name} (${kind}) = ${shown(value)}`],
      ...(words === null ? [] : [['', `  ${words}`]]),
    ]),
    ...(state.shared.length === 0
      ? []
      : [
          [
            'shared',
            `${state.shared.join(', ')}: of all subjects, kept apart; the records of decisions hold what they read`,
          ],
        ]),
  ];
  return lines.map(([label = '', text = '']) => `${label.padEnd(14)}${text}`).join('\n');
}

const at = (time: number | null): string => (time === null ? 'none' : new Date(time).toISOString());
const shown = (value: FeatureValue): string => (value === null ? 'nothing' : JSON.stringify(value));
