import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, PresageError } from '../../../core/index.ts';

const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const trainer = beside('./train.py');
const requirements = beside('./requirements.txt');
/** The pinned versions need it. */
const oldestPython = [3, 11] as const;
const lastLines = 6;

/** Runs train.py on a job's folder. */
export interface PythonTrainer {
  run(folder: string): Promise<void>;
}

/**
 * A Python environment of its own under `folder`, made once from PyPI with pinned versions; nothing of the machine's
 * Python is touched. Throws PresageError `python_missing` where there is no Python 3.11 or newer with venv, or PyPI
 * can't be reached.
 */
export async function pythonTrainer(folder: string, say: (line: string) => void): Promise<PythonTrainer> {
  const wanted = await readFile(requirements);
  const version = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
  const home = join(folder, `lightgbm-${version}`);
  const python = join(home, 'bin', 'python');
  if (!existsSync(join(home, 'complete'))) await make(home, say);
  return {
    async run(job) {
      await call(python, [trainer, job]).catch((cause) => {
        throw new PresageError('training_failed', `LightGBM stopped: ${messageOf(cause)}`, { cause });
      });
    },
  };
}

async function make(home: string, say: (line: string) => void): Promise<void> {
  const missing = (what: string, cause: unknown): PresageError =>
    new PresageError(
      'python_missing',
      `--trainer lightgbm needs Python ${oldestPython.join('.')} or newer with venv, and PyPI: ${what} (${messageOf(cause)}). Without them, use --trainer ftrl.`,
      { cause },
    );
  const check = `import sys, venv, ensurepip; assert sys.version_info >= (${oldestPython.join(', ')}), sys.version`;
  await call('python3', ['-c', check]).catch((cause) => {
    throw missing('there is none', cause);
  });
  say('Making a Python environment for LightGBM, once (about 400 MB from PyPI)...');
  await rm(home, { recursive: true, force: true });
  const fresh = `${home}.${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  try {
    await call('python3', ['-m', 'venv', fresh]);
    await call(join(fresh, 'bin', 'python'), [
      ...[
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--only-binary',
        ':all:',
        '--retries',
        '10',
      ],
      ...['--no-deps', '--requirement', requirements],
    ]);
    await writeFile(join(fresh, 'complete'), '');
    await rename(fresh, home);
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true });
    throw missing('the environment could not be made', cause);
  }
}

/** Resolves when the program has ended well; else rejects with its last lines. */
function call(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      // Sets of texts in the same order each time: what is written shall depend on its input alone.
      env: { ...process.env, PYTHONHASHSEED: '0' },
    });
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString()).slice(-4_000);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(said.trim().split('\n').slice(-lastLines).join(' | ') || `exit code ${code}`));
    });
  });
}
