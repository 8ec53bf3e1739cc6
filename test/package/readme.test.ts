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

function programsOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);
}

const [classifier, loop, stream, exporting] = programsOf('README.md') as [string, string, string, string];
const [plainLoop, streaming, truncated, intervals, backtest, rareWords] = programsOf('docs/recipes.md') as [
  string,
  string,
  string,
  string,
  string,
  string,
];

// What the README's fragments take from around them.
const around = `import { type GRU, losses, type Module, noGrad, type Optimizer, type Tensor, tensor } from 'cudnn-gru';
declare const batches: Iterable<{ x: Float32Array; y: Int32Array }>, frames: Iterable<Float32Array>, gru: GRU;
declare const model: Module & { forward(x: Tensor): Tensor };
declare const optimizer: Optimizer<{ learningRate: number; weightDecay: number }>;
void [losses, noGrad, tensor, batches, frames, gru, model, optimizer];
`;

it('every program compiles under strict settings', () => {
  const programs = {
    classifier,
    loop: around + loop,
    stream: around + stream,
    exporting: classifier + exporting,
    plainLoop,
    streaming,
    truncated,
    intervals,
    backtest,
    rareWords,
  };
  const files = Object.entries(programs).map(([name, text]) => {
    const file = join(folder, `${name}.ts`);
    writeFileSync(file, text);
    return file;
  });
  const program = ts.createProgram(files, {
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
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  expect(faults).toEqual([]);
});

function run(program: string): string {
  const { outputText } = ts.transpileModule(program, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const library = new URL('../../dist/index.js', import.meta.url).href;
  const file = join(folder, 'program.mjs');
  writeFileSync(file, outputText.replace("'cudnn-gru'", `'${library}'`));
  return execFileSync(process.execPath, [file], { encoding: 'utf8', cwd: folder });
}

it('the classifier learns what the README says', () => {
  const output = run(classifier);
  const losses = [...output.matchAll(/^\d+ ([\d.]+) ([\d.]+)$/gm)].map((match) => Number(match[2]));
  expect(losses).toHaveLength(20);
  expect(losses.at(-1)).toBeLessThan(0.3);
  // The first sequence falls.
  const scores = output.match(/\[\s*([\d.e-]+),\s*([\d.e-]+)\s*\]/);
  expect(Number(scores?.[1])).toBeGreaterThan(0.5);
});

it('the recipes do what they say', () => {
  const lossOf = (output: string) => Number(/^loss: ([\d.]+)$/m.exec(output)?.[1]);
  expect(lossOf(run(plainLoop))).toBeLessThan(0.1);
  expect(run(streaming)).toBe('same bits: true\n');
  // The series varies by 0.5 around its mean.
  expect(lossOf(run(truncated))).toBeLessThan(0.05);
  const forecasts = run(intervals);
  expect(forecasts).toMatch(/^ {2}GRU .*%/m);
  const [low, median, high] = (/^north, tomorrow: (.*)$/m.exec(forecasts)?.[1] ?? '').split(' to ').map(Number);
  expect(low as number).toBeLessThan(median as number);
  expect(median as number).toBeLessThan(high as number);
  expect(run(backtest)).toMatch(/^MAE until( +row \d+){3} +all +MASE$/m);
  expect(run(rareWords)).toBe('animal, fruit\n');
});
