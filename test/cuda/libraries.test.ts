import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../package/helpers.js';

// native/cuda/libraries against small libraries made here, and against the real ones of the wheels. Needs NVIDIA's headers.
const wheels = join(root, '.cache/cuda-toolkit/nvidia');
const missing =
  process.platform !== 'linux' ? 'Linux only' : existsSync(wheels) ? '' : 'no toolkit: npm run cuda:toolkit';

interface Report {
  reason: string;
  description: string;
  workspace: string;
  descriptors: number;
  details: string[];
}

describe.skipIf(missing !== '')(`NVIDIA's libraries${missing && ` (skipped: ${missing})`}`, () => {
  const work = mkdtempSync(join(tmpdir(), 'cudnn-gru-libraries-'));
  afterAll(() => rmSync(work, { recursive: true, force: true }));
  const program = join(work, 'report');

  function build(): string {
    if (existsSync(program)) return program;
    const sources = [
      'test/native/library_report.cc',
      'native/cuda/libraries/libraries.cc',
      'native/cuda/libraries/library_search.cc',
      'native/platform/dynamic_library.cc',
    ];
    const includes = ['native', join(wheels, 'cu13/include'), join(wheels, 'cudnn/include')];
    const flags = ['-std=c++17', '-O0', ...includes.map((folder) => `-I${folder}`)];
    execFileSync('c++', [...flags, ...sources, '-ldl', '-o', program], { cwd: root, stdio: 'pipe' });
    return program;
  }

  function report(folders: string[], env: Record<string, string> = {}, ...args: string[]): Report {
    const { PATH } = process.env;
    const options = {
      env: { PATH, CUDNN_GRU_LIBRARY_PATH: folders.join(delimiter), ...env },
      encoding: 'utf8',
    } as const;
    const { status, stdout, stderr } = spawnSync(build(), args, options);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return JSON.parse(stdout);
  }

  /** The functions that a table asks for, but those which the stand-in defines itself. */
  function namesOf(header: string): string[] {
    const text = readFileSync(join(root, 'native/cuda/libraries', header), 'utf8');
    return [...text.matchAll(/X\((\w+)\)/g)]
      .map((match) => match[1] as string)
      .filter((name) => name !== 'X' && !/^(cuDriverGetVersion|\w+GetVersion|\w+GetCudartVersion)$/.test(name));
  }

  let folders = 0;
  function folderWith(libraries: Record<string, string[]>): string {
    const folder = join(work, String(++folders));
    mkdirSync(folder);
    for (const [file, flags] of Object.entries(libraries)) {
      const source = join(root, 'test/native/stand_in_library.c');
      execFileSync('cc', ['-shared', '-fPIC', '-w', ...flags, source, '-o', join(folder, file)], { stdio: 'pipe' });
    }
    return folder;
  }
  const names = (all: string[]) => `-DNAMES=${all.map((name) => `X(${name})`).join(' ')}`;
  const driver = (version = 13000) => [`-DDRIVER=${version}`, names([])];
  const blas = (version = 13000) => [`-DCUBLAS_LT=${version}`, names(namesOf('cublas_lt_library.h'))];
  const dnn = (version = 91400, cudart = 13000, all = namesOf('cudnn_library.h')) => [
    `-DCUDNN=${version}`,
    `-DCUDNN_CUDART=${cudart}`,
    names(all),
  ];
  const whole = { 'libcuda.so.1': driver(), 'libcublasLt.so.13': blas(), 'libcudnn.so.9': dnn() };

  it('finds all three, and prepares cuBLAS for reproducible bits', () => {
    const found = report([folderWith(whole)]);
    expect(found.reason).toBe('');
    expect(found.description).toBe('driver for CUDA 13.0, cuDNN 9.14.0, cuBLAS 13.0');
    expect(found.workspace).toBe(':4096:8');
    expect(report([folderWith(whole)], { CUBLAS_WORKSPACE_CONFIG: ':16:8' }).workspace).toBe(':16:8');
  });

  it('finds the wheels of a python3 on the PATH, also through a link to a virtual environment', () => {
    const { 'libcuda.so.1': standIn, ...wheel } = whole;
    const packages = join(folderWith({}), 'venv/lib/python3.12/site-packages/nvidia');
    for (const [name, flags] of Object.entries(wheel)) {
      const lib = join(packages, name.includes('cudnn') ? 'cudnn/lib' : 'cu13/lib');
      mkdirSync(lib, { recursive: true });
      renameSync(join(folderWith({ [name]: flags }), name), join(lib, name));
    }
    const programs = join(packages, '../../../../bin');
    mkdirSync(programs);
    writeFileSync(join(programs, 'python3'), '');
    const links = folderWith({});
    symlinkSync(join(programs, 'python3'), join(links, 'python3'));
    const LD_LIBRARY_PATH = folderWith({ 'libcuda.so.1': standIn });
    const home = folderWith({});
    for (const folder of [programs, links]) {
      const PATH = [folder, home].join(delimiter);
      const found = report([], { LD_LIBRARY_PATH, PATH, HOME: home });
      expect(found.details.join('\n')).toContain(`${join(packages, 'cudnn/lib/libcudnn.so.9')}: opened`);
      expect(found.reason).toBe('');
    }
  });

  it('cuDNN for CUDA 12 goes with the cuBLAS for CUDA 12, also where both are', () => {
    const twelve = { ...whole, 'libcudnn.so.9': dnn(90100, 12040), 'libcublasLt.so.12': blas(12040) };
    const { reason, details } = report([folderWith(twelve)]);
    expect(reason).toBe('');
    expect(details.filter((line) => line.includes('libcublasLt'))).toEqual([expect.stringContaining('.so.12: opened')]);
  });

  it.each<[string, Record<string, string[] | undefined>, RegExp]>([
    [
      'no cuDNN',
      { 'libcudnn.so.9': undefined },
      /cuDNN 9 \(libcudnn\.so\.9\) was not found.*pip install nvidia-cudnn-cu13/,
    ],
    [
      'no cuBLAS',
      { 'libcublasLt.so.13': undefined },
      /cuBLAS for CUDA 13 \(libcublasLt\.so\.13\), which cuDNN 9\.14\.0.*pip install/,
    ],
    [
      'no function',
      { 'libcudnn.so.9': dnn(91400, 13000, ['cudnnCreate']) },
      /libcudnn\.so\.9: lacks .*cudnnRNNForward/,
    ],
    ['an old cuDNN', { 'libcudnn.so.9': dnn(8907) }, /cuDNN 8\.9\.7 .* is too old, 9\.0 is needed.*pip install/],
    ['cuDNN for CUDA 11', { 'libcudnn.so.9': dnn(90000, 11080) }, /for CUDA 11, and one for CUDA 13 or 12 is needed/],
    [
      'majors that do not match',
      { 'libcudnn.so.9': dnn(90100, 12040) },
      /majors do not match: cuDNN 9\.1\.0 .* is for CUDA 12, .* for CUDA 13 .*nvidia-cudnn-cu12 nvidia-cublas-cu12/,
    ],
    ['a cuBLAS that says another major', { 'libcublasLt.so.13': blas(12040) }, /libcublasLt\.so\.13 is for CUDA 12/],
    [
      'an old driver',
      { 'libcuda.so.1': driver(12040) },
      /driver supports CUDA 12\.4, and CUDA 13\.0 is needed: install NVIDIA driver 580/,
    ],
    [
      'a library that cannot be initialised',
      { 'libcudnn.so.9': [...dnn(), '-DNEEDS_ABSENT'] },
      /undefined symbol: absentFunction/,
    ],
  ])('%s: the reason and the remedy', (_, changes, expected) => {
    const libraries = Object.fromEntries(
      Object.entries({ ...whole, ...changes }).filter((entry): entry is [string, string[]] => entry[1] !== undefined),
    );
    const { reason, details } = report([folderWith(libraries)]);
    expect(reason).toMatch(expected);
    expect(details[0]).toContain('looked in');
  });

  it('a library for another processor', () => {
    const folder = folderWith({ 'libcuda.so.1': driver(), 'libcublasLt.so.13': blas() });
    const file = readFileSync(join(folder, 'libcublasLt.so.13'));
    file.writeUInt16LE(file.readUInt16LE(18) === 0xb7 ? 0x3e : 0xb7, 18); // e_machine: AArch64 for x86-64
    writeFileSync(join(folder, 'libcudnn.so.9'), file);
    expect(report([folder]).reason).toContain('libcudnn.so.9: cannot open shared object file');
  });

  it('a file that is no library, and a second folder that has one', () => {
    const broken = folderWith({});
    writeFileSync(join(broken, 'libcudnn.so.9'), 'not a library');
    const good = folderWith(whole);
    expect(report([broken, good]).reason).toBe('');
    expect(report([broken, good]).details.join('\n')).toMatch(/invalid ELF header|file too short/);
  });

  it('the real cuDNN and cuBLASLt of the wheels: opened, paired, and their descriptors take our arguments', () => {
    const stand = folderWith({ 'libcuda.so.1': driver() });
    const found = report([stand, join(wheels, 'cudnn/lib'), join(wheels, 'cu13/lib')], {}, 'descriptors');
    expect(found.reason).toBe('');
    expect(found.description).toContain('cuDNN 9.14.0');
    expect(found.descriptors).toBe(0);
  });
});
