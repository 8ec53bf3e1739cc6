import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSafetensors } from '../../lib/formats/safetensors.js';
import { bitsOf, problem } from './problem.js';

const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-kill-'));
const library = new URL('../../dist/index.js', import.meta.url).href;

// The child runs on the compiled package; its own two files are compiled here.
beforeAll(() => {
  expect(existsSync(fileURLToPath(library)), 'the package is built (npm run build:ts)').toBe(true);
  for (const name of ['problem', 'killed_child']) {
    const source = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8').replace(
      '../../lib/index.js',
      library,
    );
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    writeFileSync(join(folder, `${name}.js`), ts.transpileModule(source, { compilerOptions: options }).outputText);
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(checkpoint: string, killAfter = 2 ** 30): Promise<{ output: string; killed: boolean }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(folder, 'killed_child.js'), checkpoint], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), killAfter);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0 && signal !== 'SIGKILL') reject(new Error(`the child ended with ${code}`));
      else resolve({ output, killed: signal === 'SIGKILL' });
    });
  });
}

it('killed at 20 random moments and resumed, a training gives the bits of never stopping', {
  timeout: 180_000,
}, async () => {
  const whole = problem({ epochs: 10 });
  await whole.trainer.fit();
  const expected = await bitsOf(whole);
  const started = performance.now();
  await run(join(folder, 'whole.safetensors'));
  const duration = performance.now() - started;
  let kills = 0;
  for (let round = 0; kills < 20; round++) {
    const checkpoint = join(folder, `round-${round}.safetensors`);
    for (;;) {
      const { output, killed } = await run(checkpoint, duration * (0.2 + 0.8 * Math.random()));
      if (!killed) {
        expect(output, `round ${round}`).toBe(expected);
        break;
      }
      kills++;
      // What stands under the name is always whole.
      if (existsSync(checkpoint)) await (await openSafetensors(checkpoint)).close();
    }
    expect(round).toBeLessThan(200);
  }
  expect(readdirSync(folder).filter((name) => name.endsWith('.safetensors')).length).toBeGreaterThan(0);
});
