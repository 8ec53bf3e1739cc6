// Sums vitest's JSON reports: node .ci/summary.mjs FOLDER FAILED_STEPS. Prints each failed test with its message, so that the end of a log
// says what broke, then `N passed, N failed, N skipped`; exit 1 on any failure.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

// Of a message: what was expected, not the whole stack.
const MESSAGE_LINES = 12;
const shown = (message = '') => message.split('\n').slice(0, MESSAGE_LINES).join('\n');

const [folder, failedSteps] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
for (const name of readdirSync(folder)) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  passed += report.numPassedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  // A file that could not be loaded has no tests to count: it is one failure.
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  );
  failed += report.numFailedTests + unloaded.length;
  for (const file of unloaded) console.log(`failed file: ${relative('.', file.name)}\n${shown(file.message)}`);
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status !== 'failed') continue;
      console.log(`failed test: ${relative('.', file.name)} > ${test.fullName}\n${shown(test.failureMessages[0])}`);
    }
  }
}
// A failed step whose reason is not a failed test (lint, types, a build) is one failure.
if (failed === 0) failed = Number(failedSteps);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
