// Trains the travel example's ranker of listed hotels on the trivago log, and writes what it reaches into its README.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pythonTrainer } from '../../app/training/python/environment.ts';
import { PresageError } from '../../core/index.ts';
import { bestOf } from './chaining.ts';
import { readLog } from './log.ts';
import { measure } from './measure.ts';
import { featuresRead } from './model.ts';
import { questionsOf } from './questions.ts';
import { report } from './report.ts';
import { candidates } from './trainers.ts';
import { rankerWorkspace } from './workspace.ts';

const root = process.cwd();
const example = join(root, 'examples', 'travel');
const say = (line: string): void => console.error(line);

const { positionals } = parseArgs({ allowPositionals: true });
const [file] = positionals;
if (file === undefined) {
  say('usage: npm run bench -- hotels trivago_val_100k.csv.gz');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'presage-hotels-'));
try {
  const workspace = await rankerWorkspace(example, folder, { withModel: false });
  const log = await readLog(file, join(folder, 'ranker'));
  const questions = questionsOf(log, workspace, featuresRead);
  const cut = Math.floor(log.length * 0.7);
  const learning = questions.filter(({ row }) => row < cut);
  const test = questions.filter(({ row }) => row >= cut);
  say(
    `${log.length} rows; click-outs on listed hotels: ${learning.length} to learn from, ${test.length} to test on.`,
  );
  const python = await pythonTrainer(join(root, '.presage', 'python'), say).catch((error: unknown) => {
    if (!(error instanceof PresageError)) throw error;
    say(error.message);
    return null;
  });
  const parts = { example, folder, workspace, learning, say };
  const tuned = await bestOf(candidates(python), { ...parts, rows: log.length });
  say(`Chosen by forward chaining: ${tuned.best.name}. Now the test part, once.`);
  const figures = await measure({ ...parts, test, tuned });
  console.log(report(join(example, 'README.md'), { learning: learning.length, tuned, figures }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
