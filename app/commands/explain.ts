import type { Command } from 'commander';
import { PresageError } from '../../core/index.ts';
import type { Candidate, DecisionRecord, FeatureVector } from '../../schemas/index.ts';
import { type Context, instanceOf, type SharedOptions, withShared } from './context.ts';

interface ExplainOptions extends SharedOptions {
  readonly subject: string;
  readonly placement: string;
  readonly tenant?: string;
  readonly session?: string;
  readonly context?: string;
}

export function explainCommand(program: Command, context: Context): void {
  withShared(program.command('explain'))
    .description('what would be decided for a subject now, and why not the others; records nothing')
    .requiredOption('-s, --subject <id>', 'u:<userId>, a:<anonymousId>, or a plain user id')
    .requiredOption('--placement <name>', 'where it would be shown')
    .option('-t, --tenant <name>', "whose subject (default: the workspace's only tenant)")
    .option('--session <id>', "the client's session id (default: the subject's newest)")
    .option('--context <json>', 'what a request would send as context')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx presage explain --subject a:visitor-7 --placement cart_banner --tenant shop',
    )
    .action(async (options: ExplainOptions) => {
      const { subject, placement, tenant, session } = options;
      const client = await instanceOf(context, options);
      const body = { subject, placement, tenant, session, context: readContext(options.context) };
      const { decision } = await client.post<{ decision: DecisionRecord }>('/api/explain', body);
      context.out(options.json ? JSON.stringify(decision) : renderExplanation(decision));
    });
}

function readContext(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value;
  } catch {
    // Said below, for what is no JSON and what is no map alike.
  }
  throw new PresageError('usage', `--context: expected a JSON object such as {"page": "cart"}, got ${text}.`);
}

/** A line on what would be chosen, then a line for each candidate. */
export function renderExplanation(decision: DecisionRecord): string {
  const { candidates, slots, placement, subject } = decision;
  const chosen =
    slots?.flatMap(({ action }) => action ?? []) ?? (decision.action === null ? [] : [decision.action]);
  const what = chosen.length === 0 ? 'nothing' : chosen.join(', then ');
  const mode = decision.mode === 'act' ? '' : ` (mode ${decision.mode}: not delivered)`;
  const lines = [
    `${subject} in ${placement}: ${what}${mode}`,
    `scored by ${decision.rung}${decision.model === null ? '' : ` ${decision.model.id} ${decision.model.version}`} (${decision.rungReason.replaceAll('_', ' ')}); nothing was recorded`,
    ...(decision.deterministic
      ? []
      : [`drawn by ${decision.exploration?.kind}: another time it may be another`]),
    '',
  ];
  const width = Math.max(6, ...candidates.map(({ action }) => action.length));
  for (const candidate of candidates) lines.push(lineOf(candidate, width));
  if (candidates.length === 0) lines.push('No action names this placement.');
  return lines.join('\n');
}

function lineOf({ action, verdict, score, rank, drawn }: Candidate, width: number): string {
  const place = rank === undefined ? '' : `${rank}.${drawn === undefined ? '' : ` drawn ${drawn}.`}`;
  const priority =
    score === undefined
      ? ''
      : `  priority ${short(score.priority)} = ${short(score.acceptProbability)} x ${short(score.contextWeight)} x ${short(score.value)} x ${short(score.lever)}`;
  const seen = sawText(verdict.saw);
  return `${action.padEnd(width)}  ${place.padEnd(drawn === undefined ? 4 : 14)}${verdict.stage}: ${verdict.rule}${seen}${priority}`.trimEnd();
}

const short = (number: number): string => String(Number(number.toPrecision(4)));

function sawText(saw: FeatureVector): string {
  const pairs = Object.entries(saw).map(
    ([name, value]) => `${name} = ${value === null ? 'nothing' : JSON.stringify(value)}`,
  );
  return pairs.length === 0 ? '' : ` (saw ${pairs.join(', ')})`;
}
