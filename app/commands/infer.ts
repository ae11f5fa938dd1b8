import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { PresageError } from '../../core/index.ts';
import {
  type CompiledWorkspace,
  loadWorkspace,
  WorkspaceError,
  workspaceFile,
} from '../../workspace/index.ts';
import { loadRowMap, rowIsEvent } from '../feed/index.ts';
import { mergeProposals } from '../infer/merge.ts';
import { emptyProfile, mostTypes } from '../infer/profile.ts';
import { count, type ProposedType, propose } from '../infer/propose.ts';
import { renderProposals } from '../infer/render.ts';
import { observeFile, observeStored } from '../infer/sources.ts';
import { connect } from './connect.ts';
import { type Context, folderOf, type SharedOptions, withShared, workspaceFolder } from './context.ts';

interface InferOptions extends SharedOptions {
  readonly events?: boolean;
  readonly map?: string;
  readonly format?: 'csv' | 'jsonl';
  readonly sample: number;
  readonly tenant?: string;
  readonly write?: boolean;
  readonly data?: string;
}

export function inferCommand(program: Command, context: Context): void {
  withShared(program.command('infer [file]'))
    .description(
      'propose types for events that the workspace does not declare, from a file or from stored events',
    )
    .option('--events', 'look at the stored events instead of a file')
    .option('-m, --map <module>', "turns a row into events, as with feed (default: the workspace's feed.map)")
    .addOption(new Option('--format <format>', 'instead of finding out').choices(['csv', 'jsonl']))
    .option('--sample <n>', 'with --events: how many of each type are looked at', parseSample, 10_000)
    .option('-t, --tenant <name>', 'with --events: only this tenant')
    .option('--write', 'add the proposals to presage.yaml, which keeps its comments')
    .option('--data <dir>', 'with --events: data folder, when no instance is running')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage infer events.jsonl\n  $ npx presage infer log.csv.gz --map map.mjs --write\n  $ npx presage infer --events',
    )
    .action((file: string | undefined, options: InferOptions) => infer(file, options, context));
}

async function infer(file: string | undefined, options: InferOptions, context: Context): Promise<void> {
  if ((file === undefined) === (options.events !== true))
    throw new PresageError('usage', 'Name a file of events, or --events for the stored ones (and not both).');
  // Stored events are those of the instance that runs, so it is its workspace that may lack types.
  const folder = options.events ? await workspaceFolder(context, options) : folderOf(options.workspace);
  const workspace = await workspaceIn(folder, options);
  const declared = workspace?.source.types ?? {};
  const profile = emptyProfile();
  const observed =
    file === undefined
      ? await fromStore(profile, options, context)
      : await fromFile(profile, file, workspace, options);
  if (profile.overflowing > 0)
    context.err(
      `${count(profile.overflowing)} events of types beyond the first ${mostTypes} were left out; perhaps names are data.`,
    );
  const proposals = propose(profile, declared);
  if (options.write) return write(folder, proposals, options, context);
  if (options.json) return context.out(JSON.stringify({ ...observed, proposals }));
  context.err(`${observed.summary}.`);
  if (proposals.length === 0) context.err('Every event and property is declared already.');
  else context.out(renderProposals(proposals).trimEnd());
}

/** null: there is none, and none is needed to look at a file. */
async function workspaceIn(folder: string, options: InferOptions): Promise<CompiledWorkspace | null> {
  try {
    return await loadWorkspace(folder);
  } catch (error) {
    const isMissing = error instanceof WorkspaceError && error.message.includes('there is no such file');
    if (isMissing && options.workspace === undefined && !options.write) return null;
    throw error;
  }
}

async function fromFile(
  profile: ReturnType<typeof emptyProfile>,
  file: string,
  workspace: CompiledWorkspace | null,
  options: InferOptions,
) {
  const declaredMap = workspace?.source.feed.map;
  const map = options.map
    ? resolve(options.map)
    : workspace !== null && declaredMap !== undefined
      ? resolve(workspace.folder, declaredMap)
      : null;
  const { events, rejected, firstReject } = await observeFile(profile, file === '-' ? '-' : resolve(file), {
    name: file,
    map: map === null ? rowIsEvent : await loadRowMap(map),
    format: options.format ?? null,
  });
  if (events === 0) {
    const why =
      firstReject === null ? 'it is empty' : `${firstReject}. A mapping module (--map) makes events of rows`;
    throw new PresageError('file_unreadable', `${file} has no events: ${why}.`);
  }
  const without = rejected === 0 ? '' : `, ${count(rejected)} rows are no events (${firstReject})`;
  return { events, rejected, summary: `${count(events)} events in ${file}${without}` };
}

async function fromStore(profile: ReturnType<typeof emptyProfile>, options: InferOptions, context: Context) {
  const { ask, close } = await connect(options, context);
  try {
    const { totals, observed } = await observeStored(profile, ask, {
      sample: options.sample,
      tenant: options.tenant ?? null,
    });
    const stored = [...totals.values()].reduce((sum, one) => sum + one, 0);
    return {
      events: observed,
      stored,
      // More may have come meanwhile.
      summary: `${count(observed)} of ${count(Math.max(stored, observed))} stored events looked at`,
    };
  } finally {
    await close();
  }
}

/** A file that would no longer load is put back as it was. */
async function write(
  folder: string,
  proposals: readonly ProposedType[],
  options: InferOptions,
  context: Context,
) {
  const file = join(folder, workspaceFile);
  const before = await readFile(file, 'utf8');
  const { text, added, skipped } = mergeProposals(before, proposals);
  if (added.length > 0) {
    await writeFile(file, text);
    try {
      await loadWorkspace(folder);
    } catch (error) {
      await writeFile(file, before);
      throw error;
    }
  }
  if (options.json) return context.out(JSON.stringify({ added, skipped }));
  if (skipped.length > 0) context.err(`Add by hand: ${skipped.join('; ')}.`);
  context.out(added.length === 0 ? 'Nothing to add.' : `Added to ${file}: ${added.join(', ')}.`);
}

function parseSample(text: string): number {
  const sample = Number(text);
  if (Number.isInteger(sample) && sample > 0 && sample <= 1_000_000) return sample;
  throw new PresageError('usage', `--sample: expected a number from 1 to 1,000,000, got "${text}".`);
}
