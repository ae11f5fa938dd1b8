// Reads vitest's JSON report, fails on a skipped test that must run in CI, and prints the closing line.
import { readFileSync } from 'node:fs';

const [file, status] = process.argv.slice(2);
const report = JSON.parse(readFileSync(file, 'utf8'));
const tests = report.testResults.flatMap((suite) => suite.assertionResults);
// Only what CI cannot have may be skipped: the long forms, and tests on data that is not part of the repository.
const mayBeSkipped = (test) => /\[full form\]|\[real data\]/.test(test.fullName);
const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
const wronglySkipped = skipped.filter((test) => !mayBeSkipped(test));
for (const test of wronglySkipped) console.error(`MUST RUN HERE BUT WAS SKIPPED: ${test.fullName}`);

const failedSuites = report.testResults.filter(
  (suite) => suite.status === 'failed' && suite.assertionResults.every((test) => test.status !== 'failed'),
);
for (const suite of failedSuites) console.error(`FAILED TO RUN: ${suite.name}\n${suite.message}`);

const passed = tests.filter((test) => test.status === 'passed').length;
const failed =
  tests.filter((test) => test.status === 'failed').length + wronglySkipped.length + failedSuites.length;
const skippedRightly = skipped.length - wronglySkipped.length;
console.log(`${passed} passed, ${failed} failed${skippedRightly > 0 ? `, ${skippedRightly} skipped` : ''}`);
process.exit(failed === 0 && passed > 0 && Number(status) === 0 ? 0 : 1);
