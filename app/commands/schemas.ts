import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { PresageError } from '../../core/index.ts';
import {
  type CompatibilityLevel,
  compatibilityLevels,
  type SubjectStrategy,
  schemaText,
  subjectSchemas,
  subjectStrategies,
} from '../../stream/schemas/index.ts';
import { type ContentModel, eventSchemas, loadWorkspace } from '../../workspace/index.ts';
import { exitCodes } from '../exit.ts';
import { checkRegistry, checkSnapshots, type Finding, isRefused, renderFindings } from '../schemas/check.ts';
import { logTopic, openRegistry } from '../schemas/registry.ts';
import { readSnapshots, writeSnapshots } from '../schemas/snapshot.ts';
import { type Context, folderOf } from './context.ts';

interface SchemaOptions {
  readonly workspace?: string;
  readonly json?: boolean;
  readonly snapshot?: string;
  readonly registry?: string | boolean;
  readonly compatibility?: CompatibilityLevel;
  readonly strategy: SubjectStrategy;
  readonly topic: string;
  readonly content: ContentModel;
  readonly upToDate?: boolean;
  readonly print?: boolean;
}

const defaultLevel: CompatibilityLevel = 'BACKWARD';

export function schemasCommand(program: Command, context: Context): void {
  const schemas = program
    .command('schemas')
    .description(
      "JSON Schemas of the workspace's events: write them, register them, refuse incompatible changes",
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage schemas generate\n  $ npx presage schemas check\n  $ npx presage schemas register --registry http://localhost:8081',
    );
  withSchemaOptions(schemas.command('generate'), context)
    .description('write the committed snapshot: a changed schema becomes another version of it')
    .option('--print', 'print the schemas, by subject, and write nothing')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage schemas generate\n  $ npx presage schemas generate --print --content open',
    )
    .action((options: SchemaOptions) => generate(options, context));
  withSchemaOptions(schemas.command('check'), context)
    .description('refuse an incompatible change against the committed snapshot, or against a registry')
    .option('-r, --registry [url]', 'ask a registry (default: SCHEMA_REGISTRY_URL) instead of the snapshot')
    .option('--up-to-date', 'refuse compatible changes too that the snapshot has not got yet')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx presage schemas check --compatibility FULL_TRANSITIVE\n  $ npx presage schemas check --registry http://localhost:8081\n\nExit code 1: a change is refused; each is told with its field and the reason.',
    )
    .action((options: SchemaOptions) => check(options, context));
  withSchemaOptions(schemas.command('register'), context)
    .description('register the schemas with a registry; what is there already stays as it is')
    .option('-r, --registry [url]', 'the registry (default: SCHEMA_REGISTRY_URL)')
    .addHelpText(
      'after',
      '\nExample:\n  $ npx presage schemas register --registry http://localhost:8081 --compatibility BACKWARD\n\nWith --compatibility the level is also set for each subject.',
    )
    .action((options: SchemaOptions) => register(options, context));
}

function withSchemaOptions(command: Command, { environment }: Context): Command {
  return command
    .option('-w, --workspace <dir>', 'folder with presage.yaml')
    .option('--snapshot <dir>', 'folder of the committed schemas (default: schemas in the workspace)')
    .addOption(
      new Option(
        '-c, --compatibility <level>',
        `what a change may not break (default: ${defaultLevel})`,
      ).choices(compatibilityLevels),
    )
    .addOption(
      new Option('--strategy <name>', 'how subjects are named')
        .choices(subjectStrategies)
        .default(environment.schemaRegistry.strategy),
    )
    .option('--topic <name>', 'the topic that subjects are named after', logTopic(environment))
    .addOption(
      new Option('--content <model>', 'whether undeclared properties fit the schema')
        .choices(['closed', 'open'])
        .default('closed'),
    )
    .option('--json', 'print JSON for programs');
}

async function load(options: SchemaOptions) {
  const workspace = await loadWorkspace(folderOf(options.workspace));
  const folder =
    options.snapshot === undefined ? join(workspace.folder, 'schemas') : resolve(options.snapshot);
  const schemas = eventSchemas(workspace.source, options.content);
  return { workspace, folder, schemas, subjects: subjectSchemas(schemas, options) };
}

async function generate(options: SchemaOptions, context: Context): Promise<void> {
  const { workspace, folder, schemas, subjects } = await load(options);
  if (options.print) {
    const bySubject = subjects.map(({ subject, schema }) => [subject, schema]);
    return context.out(JSON.stringify(Object.fromEntries(bySubject), null, 2));
  }
  const before = (await readSnapshots(folder)) ?? new Map();
  const level = options.compatibility ?? defaultLevel;
  const findings = checkSnapshots(before, schemas, level, workspace.eventsAreOpen);
  if (isRefused(findings)) {
    tell(findings, level, options, context);
    context.err('Nothing was written. If the change is meant, --compatibility NONE writes it.');
    return;
  }
  const written = await writeSnapshots(folder, before, schemas);
  const changed = written.filter(({ change }) => change !== 'same');
  const lines = changed.map(
    ({ file, change, version }) => `${file}: ${change === 'removed' ? 'removed' : `version ${version}`}`,
  );
  context.out(
    options.json
      ? JSON.stringify(written)
      : [...lines, `${written.length - changed.length} unchanged in ${folder}.`].join('\n'),
  );
}

async function check(options: SchemaOptions, context: Context): Promise<void> {
  const { workspace, folder, schemas, subjects } = await load(options);
  if (options.registry !== undefined) {
    const registry = openRegistry(context.environment, urlOf(options));
    const level = options.compatibility ?? defaultLevel;
    return tell(await checkRegistry(registry, subjects, level), level, options, context);
  }
  const snapshots = await readSnapshots(folder);
  if (snapshots === null)
    throw new PresageError(
      'usage',
      `There is no snapshot in ${folder}: "presage schemas generate" writes one, --registry asks a registry.`,
    );
  const level = options.compatibility ?? defaultLevel;
  const findings = checkSnapshots(snapshots, schemas, level, workspace.eventsAreOpen);
  tell(findings, level, options, context);
  const behind = findings.filter(({ change }) => change !== 'same');
  if (isRefused(findings) || behind.length === 0) return;
  context.err(
    `The snapshot is behind: ${behind.map(({ name }) => name).join(', ')}. Run "presage schemas generate" and commit it.`,
  );
  if (options.upToDate) context.setExitCode(exitCodes.failed);
}

async function register(options: SchemaOptions, context: Context): Promise<void> {
  const { subjects } = await load(options);
  const registry = openRegistry(context.environment, urlOf(options));
  // All are asked about before the first is registered, so that a refusal leaves nothing half done.
  const level = options.compatibility ?? defaultLevel;
  const findings = await checkRegistry(registry, subjects, level);
  if (isRefused(findings)) return tell(findings, level, options, context);
  const registered: { subject: string; id: number }[] = [];
  for (const { subject, schema } of subjects) {
    const id = await registry.register(subject, schemaText(schema));
    if (options.compatibility !== undefined) await registry.setCompatibility(subject, options.compatibility);
    registered.push({ subject, id });
  }
  context.out(
    options.json
      ? JSON.stringify(registered)
      : registered.map(({ subject, id }) => `${subject}: id ${id}`).join('\n'),
  );
}

function tell(findings: readonly Finding[], level: string, options: SchemaOptions, context: Context): void {
  const refused = isRefused(findings);
  const text = options.json ? JSON.stringify({ ok: !refused, findings }) : renderFindings(findings, level);
  if (refused && !options.json) context.err(text);
  else context.out(text);
  if (refused) context.setExitCode(exitCodes.failed);
}

const urlOf = ({ registry }: SchemaOptions): string | null =>
  typeof registry === 'string' ? registry : null;
