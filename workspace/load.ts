import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf } from '../core/index.ts';
import { type WorkspaceSource, workspaceSource } from '../schemas/index.ts';
import { compileWorkspace } from './compile.ts';
import { type Collection, collections } from './compile-context.ts';
import type { CompiledWorkspace } from './compiled.ts';
import { findFiles } from './files.ts';
import { formatPath, type Problem, type Report, WorkspaceError } from './problems.ts';
import { soundPart } from './prune.ts';
import { reportShape } from './shape.ts';
import { readYaml } from './yaml.ts';

/** The file that makes a folder a workspace. */
export const workspaceFile = 'presage.yaml';
const mostBytes = 1_048_576;

/**
 * Reads, checks and compiles the workspace in a folder. Throws WorkspaceError (`workspace_invalid`) with every
 * mistake that can be found, each with file, line and column; nothing else. `given`: the text of its file, instead of
 * reading it; `modelFolder`: where its models lie, if not there.
 */
export async function loadWorkspace(
  folder: string,
  given?: string,
  modelFolder?: string,
): Promise<CompiledWorkspace> {
  const file = join(folder, workspaceFile);
  const text = given ?? (await read(file));
  const yaml = readYaml(text);
  if (!('locate' in yaml)) {
    throw new WorkspaceError(
      yaml.map(({ line, column, message }) => ({
        file,
        line,
        column,
        path: '',
        message: `this is not YAML: ${message}`,
      })),
    );
  }
  const problems: Problem[] = [];
  const report: Report = (path, message, { suggestion, at = 'value', offset } = {}) => {
    const position = yaml.locate(path, at, offset);
    problems.push({
      file,
      ...position,
      path: formatPath(path),
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  };
  const source = readSource(yaml.value, report);
  let workspace: CompiledWorkspace | null = null;
  if (source !== null) {
    const misshapen = new Set(problems.map(({ path }) => path));
    const reportNew: Report = (path, ...rest) => {
      if (!misshapen.has(formatPath(path))) report(path, ...rest);
    };
    const files = await findFiles(source, resolve(folder), reportNew, resolve(modelFolder ?? folder));
    workspace = compileWorkspace({ source, names: namesIn(yaml.value), report: reportNew }, files);
  }
  if (problems.length === 0 && workspace !== null) return workspace;
  throw new WorkspaceError(problems.sort((a, b) => a.line - b.line || a.column - b.column));
}

async function read(file: string): Promise<string> {
  const fail = (message: string) => new WorkspaceError([{ file, line: 1, column: 1, path: '', message }]);
  const size = await stat(file).then(
    (found) => found.size,
    () => null,
  );
  if (size === null)
    throw fail('expected a workspace here but there is no such file; `presage init DIR` writes one');
  if (size > mostBytes) throw fail(`expected at most ${mostBytes} bytes but found ${size}`);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw fail(`this file can't be read (${messageOf(error)})`);
  }
}

/**
 * The source as far as its shape is right. Members that aren't are reported and left out, so that what is wrong
 * elsewhere shows in the same run. null: too little is right to go on.
 */
function readSource(value: unknown, report: Report): WorkspaceSource | null {
  const parsed = workspaceSource.safeParse(value);
  if (parsed.success) return parsed.data;
  reportShape(parsed.error.issues, value, report);
  const sound = workspaceSource.safeParse(soundPart(value, parsed.error.issues));
  return sound.success ? sound.data : null;
}

function namesIn(value: unknown): Readonly<Record<Collection, ReadonlySet<string>>> {
  const names = (collection: Collection): ReadonlySet<string> => {
    const members = value !== null && typeof value === 'object' ? Reflect.get(value, collection) : undefined;
    return new Set(members !== null && typeof members === 'object' ? Object.keys(members) : []);
  };
  return Object.fromEntries(collections.map((one) => [one, names(one)])) as Record<
    Collection,
    ReadonlySet<string>
  >;
}
