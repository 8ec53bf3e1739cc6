import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-readme-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const [classifier] = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);

it('the classifier of the README compiles under strict settings', () => {
  const file = join(folder, 'classifier.ts');
  writeFileSync(file, classifier as string);
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    paths: { 'cudnn-gru': [join(root, 'dist/index.d.ts')] },
  });
  const faults = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  expect(faults).toEqual([]);
});

it('it learns what it says', () => {
  const { outputText } = ts.transpileModule(classifier as string, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const library = new URL('../../dist/index.js', import.meta.url).href;
  writeFileSync(join(folder, 'classifier.mjs'), outputText.replace("'cudnn-gru'", `'${library}'`));
  const output = execFileSync(process.execPath, [join(folder, 'classifier.mjs')], { encoding: 'utf8', cwd: folder });
  const losses = [...output.matchAll(/^\d+ ([\d.]+) ([\d.]+)$/gm)].map((match) => Number(match[2]));
  expect(losses).toHaveLength(20);
  expect(losses.at(-1)).toBeLessThan(0.3);
  // The first sequence falls.
  const scores = output.match(/\[\s*([\d.e-]+),\s*([\d.e-]+)\s*\]/);
  expect(Number(scores?.[1])).toBeGreaterThan(0.5);
});
