// `npm run test:faults`: the full forms of the fault tests, one after the other; their report goes to docs/reliability.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'presage-faults-report-'));
const report = join(folder, 'report.jsonl');
const results = join(folder, 'vitest.json');
const begun = Date.now();
spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    'tests/faults',
    '--no-file-parallelism',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PRESAGE_FULL: '1', PRESAGE_FAULTS_REPORT: report },
  },
);

const { testResults } = JSON.parse(readFileSync(results, 'utf8'));
const tests = testResults.flatMap((suite) => suite.assertionResults);
const lines = existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n') : [];
const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim();
const figures = lines
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line))
  .map(({ drill, figures }) => {
    const said = Object.entries(figures).map(([name, value]) => `${name}: ${value}`);
    return `| ${drill} | ${said.join('; ')} |`;
  });
const verdicts = tests.map(({ fullName, status, duration }) => {
  const seconds = Math.round((duration ?? 0) / 1_000);
  return `| ${fullName} | ${status} | ${seconds} s |`;
});
const text = [
  `Commit ${git('rev-parse', '--short', 'HEAD')}, ${new Date(begun).toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB; ${Math.round((Date.now() - begun) / 1_000)} s in all.`,
  '',
  '| drill | figures |',
  '|---|---|',
  ...figures,
  '',
  '| test | result | time |',
  '|---|---|---|',
  ...verdicts,
].join('\n');
const file = join(root, 'docs', 'reliability.md');
const [before, rest = ''] = readFileSync(file, 'utf8').split('<!-- report -->');
const after = rest.split('<!-- end of the report -->')[1] ?? '\n';
writeFileSync(file, `${before}<!-- report -->\n${text}\n<!-- end of the report -->${after}`);
rmSync(folder, { recursive: true });
const isGood = tests.length > 0 && tests.every(({ status }) => status === 'passed');
process.stdout.write(
  `${tests.filter(({ status }) => status === 'passed').length} of ${tests.length} passed; docs/reliability.md has the report.\n`,
);
process.exit(isGood ? 0 : 1);
