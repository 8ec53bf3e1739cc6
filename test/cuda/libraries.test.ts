import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
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
      'native/cuda/libraries/cudnn_sublibraries.cc',
      'native/cuda/libraries/library_search.cc',
      'native/platform/dynamic_library.cc',
    ];
    const includes = ['native', join(wheels, 'cu13/include'), join(wheels, 'cudnn/include')];
    const flags = ['-std=c++17', '-O0', ...includes.map((folder) => `-I${folder}`)];
    execFileSync('c++', [...flags, ...sources, '-ldl', '-pthread', '-o', program], { cwd: root, stdio: 'pipe' });
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

  type Libraries = Record<string, string[] | undefined>;
  const parts = ['graph', 'ops', 'adv'] as const;
  const partFile = (part: string) => `libcudnn_${part}.so.9`;

  let folders = 0;
  function folderWith(libraries: Libraries): string {
    const folder = join(work, String(++folders));
    mkdirSync(folder);
    for (const [file, flags] of Object.entries(libraries)) {
      if (!flags) continue;
      const source = join(root, 'test/native/stand_in_library.c');
      const output = [`-Wl,-soname,${file}`, '-o', join(folder, file)];
      execFileSync('cc', ['-shared', '-fPIC', '-w', source, ...flags, ...output], { stdio: 'pipe' });
    }
    return folder;
  }
  /** So that a library needs these, which lie in `folder`. */
  const needing = (folder: string, files: string[]) => [
    `-L${folder}`,
    '-Wl,--no-as-needed,--allow-shlib-undefined',
    ...files.map((file) => `-l:${file}`),
  ];
  const names = (all: string[]) => `-DNAMES=${all.map((name) => `X(${name})`).join(' ')}`;
  const driver = (version = 13000) => [`-DDRIVER=${version}`, names([])];
  const blas = (version = 13000) => [`-DCUBLAS_LT=${version}`, names(namesOf('cublas_lt_library.h'))];

  let forLinker = '';
  /** A cuDNN: the library that passes calls on, and what lies beside it. */
  function dnn(version = 91400, cudart = 13000, all = namesOf('cudnn_library.h')): Libraries {
    forLinker ||= folderWith(Object.fromEntries(parts.map((part) => [partFile(part), [names([])]])));
    const of = (which: RegExp, others?: RegExp) => names(all.filter((name) => which.test(name) && !others?.test(name)));
    return {
      'libcudnn.so.9': ['-DSHIM', names(all)],
      'libcudnn_graph.so.9': [`-DCUDNN=${version}`, `-DCUDNN_CUDART=${cudart}`, of(/./, /Descriptor|RNN/)],
      'libcudnn_ops.so.9': [`-DOPS=${version}`, of(/Descriptor/, /RNN/), ...needing(forLinker, [partFile('graph')])],
      'libcudnn_adv.so.9': [`-DADV=${version}`, of(/RNN/), ...needing(forLinker, [partFile('ops'), partFile('graph')])],
    };
  }
  const whole = (cudnn = dnn()): Libraries => ({
    'libcuda.so.1': driver(),
    'libcublasLt.so.13': blas(),
    ...cudnn,
  });

  it('finds all three, and prepares cuBLAS for reproducible bits', () => {
    const found = report([folderWith(whole())]);
    expect(found.reason).toBe('');
    expect(found.description).toBe('driver for CUDA 13.0, cuDNN 9.14.0, cuBLAS 13.0');
    expect(found.workspace).toBe(':4096:8');
    expect(report([folderWith(whole())], { CUBLAS_WORKSPACE_CONFIG: ':16:8' }).workspace).toBe(':16:8');
  });

  it('finds the wheels of a python3 on the PATH, also through a link to a virtual environment', () => {
    const { 'libcuda.so.1': standIn, ...wheel } = whole();
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
      expect(found.details.join('\n')).toContain(`${join(packages, 'cudnn/lib/libcudnn_adv.so.9')}: opened`);
      expect(found.reason).toBe('');
    }
  });

  it('cuDNN for CUDA 12 goes with the cuBLAS for CUDA 12, also where both are', () => {
    const twelve = { ...whole(dnn(90100, 12040)), 'libcublasLt.so.12': blas(12040) };
    const { reason, details } = report([folderWith(twelve)]);
    expect(reason).toBe('');
    expect(details.filter((line) => line.includes('libcublasLt'))).toEqual([expect.stringContaining('.so.12: opened')]);
  });

  it.each<[string, () => Libraries, RegExp]>([
    [
      'no cuDNN',
      () => ({ 'libcudnn.so.9': undefined }),
      /cuDNN 9 \(libcudnn\.so\.9\) was not found.*pip install nvidia-cudnn-cu13/,
    ],
    [
      'no cuBLAS',
      () => ({ 'libcublasLt.so.13': undefined }),
      /cuBLAS for CUDA 13 \(libcublasLt\.so\.13\), which cuDNN 9\.14\.0.*pip install/,
    ],
    [
      'no function',
      () => dnn(91400, 13000, ['cudnnCreateTensorDescriptor']),
      /libcudnn\.so\.9: lacks .*cudnnRNNForward.*pip install/,
    ],
    ['an old cuDNN', () => dnn(8907), /cuDNN 8\.9\.7 .* is too old, 9\.0 is needed.*pip install/],
    ['cuDNN for CUDA 11', () => dnn(90000, 11080), /for CUDA 11, and one for CUDA 13 or 12 is needed/],
    [
      'majors that do not match',
      () => dnn(90100, 12040),
      /majors do not match: cuDNN 9\.1\.0 .* is for CUDA 12, .* for CUDA 13 .*nvidia-cudnn-cu12 nvidia-cublas-cu12/,
    ],
    [
      'a cuBLAS that says another major',
      () => ({ 'libcublasLt.so.13': blas(12040) }),
      /libcublasLt\.so\.13 is for CUDA 12/,
    ],
    [
      'an old driver',
      () => ({ 'libcuda.so.1': driver(12040) }),
      /driver supports CUDA 12\.4, and CUDA 13\.0 is needed: install NVIDIA driver 580/,
    ],
    [
      'a library that cannot be initialised',
      () => ({ 'libcudnn.so.9': ['-DNEEDS_ABSENT', names([])] }),
      /undefined symbol: absentFunction/,
    ],
    ...parts.flatMap((part): [string, () => Libraries, RegExp][] => [
      [
        `no libcudnn_${part}`,
        () => ({ [partFile(part)]: undefined }),
        new RegExp(`libcudnn\\.so\\.9: libcudnn_${part}\\.so\\.9 is not beside it, .*: install it, .*pip install`),
      ],
      [
        `a damaged libcudnn_${part}`,
        () => ({ [partFile(part)]: [...(dnn()[partFile(part)] ?? []), '-DNEEDS_ABSENT'] }),
        new RegExp(`libcudnn_${part}\\.so\\.9 cannot be opened \\(.*undefined symbol: absentFunction.*: install it`),
      ],
      [
        `what libcudnn_${part} needs is not there`,
        () => {
          const folder = folderWith({ 'libabsent.so.1': [names([])] });
          return { [partFile(part)]: [...(dnn()[partFile(part)] ?? []), ...needing(folder, ['libabsent.so.1'])] };
        },
        new RegExp(
          `libcudnn_${part}\\.so\\.9 needs a library that is not there \\(libabsent\\.so\\.1: .*: install it; libz`,
        ),
      ],
    ]),
    ...(['ops', 'adv'] as const).map((part): [string, () => Libraries, RegExp] => [
      `libcudnn_${part} of another version`,
      () => ({ [partFile(part)]: dnn(90500)[partFile(part)] }),
      /the libraries beside it are of different versions of cuDNN: install it/,
    ]),
  ])('%s: the reason and the remedy', (_, changes, expected) => {
    const { reason, details } = report([folderWith({ ...whole(), ...changes() })]);
    expect(reason).toMatch(expected);
    expect(details[0]).toContain('looked in');
  });

  it('without a driver that can be used, cuDNN is not opened', () => {
    const { details } = report([folderWith({ ...whole(), 'libcuda.so.1': driver(12040) })]);
    expect(details.join('\n')).not.toContain('libcudnn');
    expect(details.at(-1)).toBe('cuDNN and cuBLAS were not looked for: they need the driver');
  });

  it('the libraries of cuDNN under their full versions, and behind a link', () => {
    const folder = folderWith(whole());
    for (const part of parts) renameSync(join(folder, partFile(part)), join(folder, `${partFile(part)}.14.0`));
    expect(report([folder]).reason).toBe('');
    const links = folderWith({ 'libcuda.so.1': driver() });
    symlinkSync(join(folder, 'libcudnn.so.9'), join(links, 'libcudnn.so.9'));
    symlinkSync(join(folder, 'libcublasLt.so.13'), join(links, 'libcublasLt.so.13'));
    expect(report([links]).reason).toBe('');
  });

  it('a foreign library of cuDNN on LD_LIBRARY_PATH does no harm', () => {
    const { 'libcudnn.so.9': _, ...foreign } = dnn(90100, 12040);
    const found = report([folderWith(whole())], { LD_LIBRARY_PATH: folderWith(foreign) });
    expect(found.reason).toBe('');
    expect(found.description).toContain('cuDNN 9.14.0');
  });

  it('the libraries of a cuDNN that does not fit are out of the way of the next', () => {
    const found = report([folderWith(whole(dnn(90100, 12040))), folderWith(dnn())]);
    expect(found.reason).toBe('');
    expect(found.description).toContain('cuDNN 9.14.0');
  });

  it('another cuDNN that the process has opened before: the reason says so', () => {
    const before = folderWith(dnn(90100, 12040));
    const LD_PRELOAD = ['graph', 'ops'].map((part) => join(before, partFile(part))).join(':');
    expect(report([folderWith(whole())], { LD_PRELOAD }).reason).toMatch(
      /libcudnn\.so\.9 cannot be used beside another cuDNN that this process has opened before: name .* CUDNN_GRU_LIBRARY_PATH/,
    );
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
    const good = folderWith(whole());
    expect(report([broken, good]).reason).toBe('');
    expect(report([broken, good]).details.join('\n')).toMatch(/invalid ELF header|file too short/);
  });

  describe('the real cuDNN and cuBLASLt of the wheels', () => {
    const real = (cudnn = join(wheels, 'cudnn/lib')) => [
      folderWith({ 'libcuda.so.1': driver() }),
      cudnn,
      join(wheels, 'cu13/lib'),
    ];
    function realWithout(...missing: string[]): string {
      const folder = folderWith({});
      const from = (file: string) => join(wheels, 'cudnn/lib', file);
      copyFileSync(from('libcudnn.so.9'), join(folder, 'libcudnn.so.9'));
      for (const part of parts)
        if (!missing.includes(part)) symlinkSync(from(partFile(part)), join(folder, partFile(part)));
      return folder;
    }

    it('opened, paired, and their descriptors take our arguments', () => {
      const found = report(real(), {}, 'descriptors');
      expect(found.reason).toBe('');
      expect(found.description).toContain('cuDNN 9.14.0');
      expect(found.descriptors).toBe(0);
    });

    // Called, libcudnn.so.9 would end the process.
    it.each<[string, string[]]>([
      ['graph', ['graph', 'ops', 'adv']],
      ['ops', ['ops']],
      ['adv', ['adv']],
    ])('without libcudnn_%s: a reason', (part, missing) => {
      expect(report(real(realWithout(...missing))).reason).toContain(`${partFile(part)} is not beside it`);
    });

    it('with parts of another cuDNN beside it, or on LD_LIBRARY_PATH', () => {
      const { 'libcudnn.so.9': _, ...foreign } = dnn(90100, 12040);
      expect(report(real(), { LD_LIBRARY_PATH: folderWith(foreign) }, 'descriptors').descriptors).toBe(0);
      const mixed = realWithout('graph');
      copyFileSync(join(folderWith(foreign), partFile('graph')), join(mixed, partFile('graph')));
      expect(report([...real(mixed), folderWith({ 'libcublasLt.so.12': blas(12040) })]).reason).toMatch(
        /libcudnn_ops\.so\.9 cannot be opened \(.*undefined symbol/,
      );
    });
  });
});
