import { writeFileSync } from 'node:fs';
import { type Suite, startTests, type Test, type VitestRunner } from '@vitest/runner';
import { runSuites } from '../suites/all.js';
import { cpuBackend, type InstructionSet } from '../suites/backend.js';

/**
 * All backend suites in one file without vitest: `node suites.mjs RESULT.json [PATTERN]`, on any platform and runtime beside an
 * installed `cudnn-gru`. CUDNN_GRU_CPU says on which instruction set; the pattern, which tests.
 */
const [resultFile = 'result.json', pattern] = process.argv.slice(2);
const set = process.env.CUDNN_GRU_CPU as InstructionSet;

export interface SuiteResult {
  passed: number;
  failed: number;
  skipped: number;
  failures: string[];
}

function testsOf(suite: Suite): Test[] {
  return suite.tasks.flatMap((task) => (task.type === 'suite' ? testsOf(task) : [task]));
}

const fullName = (test: Test): string => {
  const names = [test.name];
  for (let suite = test.suite; suite?.name; suite = suite.suite) names.unshift(suite.name);
  return names.join(' > ');
};

const runner: VitestRunner = {
  config: {
    root: '.',
    setupFiles: [],
    name: undefined,
    passWithNoTests: false,
    testNamePattern: pattern === undefined ? undefined : new RegExp(pattern),
    allowOnly: false,
    sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
    chaiConfig: undefined,
    maxConcurrency: 1,
    // An emulated processor is a hundred times slower than a real one.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    tagsFilter: undefined,
    strictTags: true,
  },
  importFile: () => runSuites(cpuBackend(set)),
};

const files = await startTests(['suites'], runner);
const tests = files.flatMap(testsOf);
const failed = tests.filter((test) => test.result?.state === 'fail');
const broken = files.filter((file) => file.result?.state === 'fail' && file.result.errors?.length);
const result: SuiteResult = {
  passed: tests.filter((test) => test.result?.state === 'pass').length,
  failed: failed.length + broken.length,
  skipped: tests.filter((test) => test.mode === 'skip').length,
  failures: [
    ...failed.map((test) => [fullName(test), test] as const),
    ...broken.map((file) => ['loading', file] as const),
  ].map(([name, task]) => `${name}: ${task.result?.errors?.[0]?.message}`),
};
writeFileSync(resultFile, JSON.stringify(result));
process.exit(result.failed === 0 && result.passed > 0 ? 0 : 1);
