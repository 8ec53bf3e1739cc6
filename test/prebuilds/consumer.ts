import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { rolldown } from 'rolldown';
import { root, run, succeed } from './tools.js';

/** The package as published, installed into an empty folder: without a network, a script or a compiler. */
export interface Consumer {
  folder: string;
  /** Where the package lies in it. */
  installed: string;
  tarball: string;
  packedBytes: number;
  /** Everything in the tarball: path and unpacked size in bytes. */
  files: { path: string; size: number }[];
}

/** A folder with what npm needs to run, as PATH: no compiler, no CMake, no Python. */
function toolsOnly(folder: string): string {
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  for (const name of ['node', 'npm', 'npx', 'sh']) {
    const found = (process.env.PATH ?? '')
      .split(delimiter)
      .map((path) => join(path, name))
      .find(existsSync);
    if (found) symlinkSync(found, join(programs, name));
  }
  return programs;
}

export async function installTarball(): Promise<Consumer & { path: string }> {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/ is missing: run npm run build:ts first');
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'cudnn-gru-consumer-')));
  const folder = join(base, 'consumer');
  mkdirSync(folder);
  const pack = ['npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', base];
  const [report] = JSON.parse(await succeed([...pack, root], base)) as [
    { filename: string; size: number; files: { path: string; size: number }[] },
  ];
  const tarball = join(base, report.filename);

  const path = toolsOnly(base);
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true }');
  // Without a network: what npm ci fetched for this clone is in npm's cache.
  const install = ['npm', 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball];
  const { status, stderr } = await run(install, folder, { PATH: path });
  if (status !== 0) throw new Error(`npm install --offline failed; npm ci fills the cache it needs\n${stderr}`);
  await bundleSuites(folder);
  return {
    folder,
    installed: join(folder, 'node_modules/cudnn-gru'),
    tarball,
    packedBytes: report.size,
    files: report.files,
    path,
  };
}

/** All backend suites as one file that needs nothing but the installed package: suites/suites.mjs, and the golden values beside it. */
async function bundleSuites(folder: string): Promise<void> {
  const bundle = await rolldown({
    input: join(root, 'test/prebuilds/suites_main.ts'),
    platform: 'node',
    logLevel: 'warn',
    plugins: [
      {
        name: 'installed-package',
        resolveId(id) {
          if (id === 'vitest') return join(root, 'test/prebuilds/suites_vitest.ts');
          const module = /^(?:\.\.\/)+lib\/(.+)$/.exec(id)?.[1];
          if (!module) return null;
          if (module === 'index.js') return { id: 'cudnn-gru', external: true };
          // What the package does not export is taken by its file, so that there is one instance.
          return { id: join(folder, 'node_modules/cudnn-gru/dist', module), external: 'relative' };
        },
      },
    ],
  });
  await bundle.write({ file: join(folder, 'suites/suites.mjs'), format: 'esm' });
  await bundle.close();
  cpSync(join(root, 'test/fixtures/golden'), join(folder, 'fixtures/golden'), { recursive: true });
}

const computes = `const sum = cudnn.tensor([1, 2, 3]).add(cudnn.tensor([10, 20, 30]));
const gru = new cudnn.GRU({ inputSize: 2, hiddenSize: 3 });
const loss = gru.forward(cudnn.ones([1, 4, 2])).output.sum();
loss.backward();
const gradient = gru.parameters()[0].grad !== null;
`;
const result =
  '{ sum: [...(await sum.data())], gradient, device: cudnn.devices().find(({ name }) => name === "cpu").description }';

/** Programs of a user, which leave what they found in result.json. */
export const programs = {
  import: {
    file: 'import.mjs',
    text: `import { writeFileSync } from 'node:fs';
import * as cudnn from 'cudnn-gru';
${computes}
writeFileSync('result.json', JSON.stringify(${result}));
`,
  },
  require: {
    file: 'require.cjs',
    text: `const { writeFileSync } = require('node:fs');
const cudnn = require('cudnn-gru');
${computes}
(async () => {
  const imported = await import('cudnn-gru');
  writeFileSync('result.json', JSON.stringify({ ...${result}, same: imported.Tensor === cudnn.Tensor }));
})();
`,
  },
  worker: {
    file: 'worker.mjs',
    text: `import { writeFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import * as cudnn from 'cudnn-gru';
if (isMainThread) {
  const one = () => new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url));
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const [first, second] = await Promise.all([one(), one()]);
  writeFileSync('result.json', JSON.stringify({ ...first, same: JSON.stringify(first) === JSON.stringify(second) }));
} else {
  ${computes}
  parentPort.postMessage(${result});
}
`,
  },
};

export interface ProgramResult {
  sum: number[];
  gradient: boolean;
  device: string;
  same?: boolean;
}

export async function runProgram(
  name: keyof typeof programs,
  command: string[],
  { folder }: Consumer,
  env: NodeJS.ProcessEnv = {},
): Promise<ProgramResult> {
  const { file, text } = programs[name];
  writeFileSync(join(folder, file), text);
  writeFileSync(join(folder, 'result.json'), '');
  await succeed([...command, file], folder, env);
  return JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as ProgramResult;
}
