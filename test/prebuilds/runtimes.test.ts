import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prebuildPath, targets } from '../../scripts/prebuild/targets.mjs';
import { type Consumer, installTarball, runProgram } from './consumer.js';
import { runtimes } from './runtimes.js';
import type { SuiteResult } from './suites_main.js';
import { root, run, succeed } from './tools.js';

let consumer: Consumer & { path: string };
beforeAll(async () => {
  consumer = await installTarball();
});
afterAll(() => consumer && rmSync(dirname(consumer.folder), { recursive: true, force: true }));

describe.each(runtimes.map((runtime) => [runtime.name, runtime] as const))('%s', (_, runtime) => {
  const target = targets.find(({ name }) => name === runtime.target);
  if (!target) throw new Error(`no target ${runtime.target}`);
  const absent = existsSync(join(root, prebuildPath(target)))
    ? undefined
    : `${prebuildPath(target)} is missing: npm run prebuild -- ${target.name}`;
  const reason = absent ?? runtime.missing;
  if (reason) {
    it(`skipped: ${reason}`, (ctx) => ctx.skip(reason));
    return;
  }

  let command: string[];
  beforeAll(async () => {
    command = [...(await runtime.command()), ...(runtime.options ?? [])];
  });
  const cpu = target.arch === 'x64' ? /avx512|avx2|baseline/ : /baseline/;

  it.each(['import', 'require', 'worker'] as const)('%s', async (name) => {
    const result = await runProgram(name, command, consumer, runtime.env);
    expect(result.sum).toEqual([11, 22, 33]);
    expect(result.gradient).toBe(true);
    expect(result.device).toMatch(cpu);
    if (name !== 'import') expect(result.same).toBe(true);
  });

  it('doctor', async () => {
    const main = 'node_modules/cudnn-gru/dist/cli/main.js';
    const report = JSON.parse(await succeed([...command, main, 'doctor', '--json'], consumer.folder, runtime.env));
    expect(report.error).toBe(null);
    expect(`${report.platform}-${report.architecture}`).toBe(`${target.platform}-${target.arch}`);
    if (target.libc) expect(report.libc).toMatch(target.libc);
    if (report.addon) expect(report.addon.replaceAll('\\', '/')).toContain(prebuildPath(target));
    expect(report.devices).toContainEqual(expect.objectContaining({ name: 'cpu', available: true }));
    const cuda = report.devices.find(({ name }: { name: string }) => name.startsWith('cuda'));
    if (!cuda.available) expect(cuda.reason).toMatch(target.cuda ? /driver|GPU|cuDNN/ : /built without CUDA/);
  });

  for (const set of runtime.suites ?? []) {
    it(`the backend suites on ${set}`, async (ctx) => {
      const file = `suites-${set}.json`;
      rmSync(join(consumer.folder, file), { force: true });
      const pattern = runtime.emulated ? process.env.CUDNN_GRU_EMULATED_SUITES : undefined;
      const suites = ['suites/suites.mjs', file, ...(pattern ? [pattern] : [])];
      const { stdout, stderr } = await run([...command, ...suites], consumer.folder, {
        ...runtime.env,
        CUDNN_GRU_CPU: set,
      });
      if (!existsSync(join(consumer.folder, file))) throw new Error(`no result\n${stdout}\n${stderr}`);
      const result = JSON.parse(readFileSync(join(consumer.folder, file), 'utf8')) as SuiteResult;
      console.log(
        `${runtime.name}, ${set}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`,
      );
      expect(result.failures).toEqual([]);
      if (result.passed === 0) ctx.skip(`${set} cannot run on this machine`);
    });
  }
});
