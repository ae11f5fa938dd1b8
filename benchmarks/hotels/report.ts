import { readFileSync, writeFileSync } from 'node:fs';
import { meanOf } from '../../training/index.ts';
import type { Tuned } from './chaining.ts';
import type { Figures } from './measure.ts';

const [begin, end] = ['<!-- ranker -->', '<!-- /ranker -->'];
const figure = (value: number, places = 4): string => value.toFixed(places);

/** Writes the part of the example's README about the ranker's figures, and returns it. */
export function report(
  file: string,
  { learning, tuned, figures }: { learning: number; tuned: Tuned; figures: Figures },
): string {
  const { gain, reliability } = figures;
  const text = [
    `${learning.toLocaleString('en-US')} click-outs to learn from, ${figures.test.toLocaleString('en-US')} in the test part. Chosen by forward chaining: ${tuned.best.name}.`,
    '',
    '| order of the list | MRR on the test part |',
    '|---|---|',
    `| as listed | ${figure(figures.asListed)} |`,
    `| last interacted first | ${figure(figures.lastFirst)} |`,
    `| the ranker, mean of ${figures.bySeed.length} seeds (${figures.bySeed.map((value) => figure(value)).join(', ')}) | **${figure(figures.mean)}** |`,
    `| the ranker, learned from shuffled labels | ${figure(figures.shuffled)} |`,
    '',
    `Over last interacted first: ${signed(gain.mean)}, 95% interval ${signed(gain.low)} to ${signed(gain.high)} (paired by list, sessions drawn 10,000 times).`,
    '',
    `As a probability (Platt, fitted on the newest fold): Brier ${figure(reliability.brier)}, log loss ${figure(reliability.logLoss)}, expected calibration error ${figure(reliability.expectedCalibrationError)} over ${reliability.rows.toLocaleString('en-US')} listed hotels, of which ${figure((figures.test / reliability.rows) * 100, 1)}% were chosen.`,
    '',
    '| probability | hotels | mean | chosen |',
    '|---|---|---|---|',
    ...reliability.bins.map(
      ({ from, to, rows, mean, rate }) =>
        `| ${figure(from, 3)} to ${figure(to, 3)} | ${rows.toLocaleString('en-US')} | ${figure(mean, 3)} | ${figure(rate, 3)} |`,
    ),
    '',
    '| tried in forward chaining | MRR of each fold | mean |',
    '|---|---|---|',
    ...[...tuned.tried].map(
      ([name, means]) =>
        `| ${name} | ${means.map((value) => figure(value)).join(', ')} | ${figure(meanOf(means))} |`,
    ),
  ].join('\n');
  const before = readFileSync(file, 'utf8');
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} ... ${end} to write between`);
  writeFileSync(file, `${before.slice(0, from)}${begin}\n${text}\n${before.slice(to)}`);
  return text;
}

const signed = (value: number): string => `${value < 0 ? '' : '+'}${figure(value)}`;
