import type { DeviceReport } from '../tensor/device.js';
import { packageVersion } from '../version.js';
import { type Command, exitCodes } from './command.js';
import { printJson, printText } from './output.js';

export const doctor: Command = {
  usage: 'doctor',
  description: 'Show what this machine offers: platform, versions, devices, and why one is missing',
  options: [
    ['--json', 'Print it as one JSON document'],
    ['--tune', 'Measure how each GPU computes common GRU shapes fastest, and show what was chosen'],
  ],
  examples: ['doctor', 'doctor --json', 'doctor --tune'],

  async run(_, options) {
    const found = { ...(await platform()), ...(await native()) };
    const report =
      options.flag('tune') && found.error === null ? { ...found, choices: await tune(found.devices) } : found;
    if (options.flag('json')) printJson(report);
    else {
      printText(describe(report));
      if ('choices' in report) printText(describeChoices(report.choices));
    }
    return report.error === null ? exitCodes.success : exitCodes.failure;
  },
};

async function platform() {
  const { availableParallelism } = await import('node:os');
  const { glibcVersion, isMusl } = await import('../native/libc.js');
  return {
    package: packageVersion(),
    node: process.versions.node,
    napi: process.versions.napi ?? null,
    platform: process.platform,
    architecture: process.arch,
    libc: process.platform !== 'linux' ? null : isMusl() ? 'musl' : `glibc ${glibcVersion() ?? ''}`.trim(),
    cpus: availableParallelism(),
    /** What the user has set. */
    environment: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('CUDNN_GRU_'))),
  };
}

/** What `GRU.tune` measures, from a live stream to a large model. */
const tunedShapes = [
  { batch: 1, time: 100, inputSize: 128, hiddenSize: 256 },
  { batch: 32, time: 100, inputSize: 128, hiddenSize: 256 },
  { batch: 64, time: 100, inputSize: 256, hiddenSize: 512 },
  { batch: 128, time: 28, inputSize: 28, hiddenSize: 128 },
  { batch: 256, time: 200, inputSize: 64, hiddenSize: 128, numLayers: 2 },
];

async function tune(devices: readonly DeviceReport[]): Promise<string[]> {
  const { GRU } = await import('../layers/index.js');
  const { deviceOf } = await import('../tensor/device.js');
  const { addon } = await import('../native/load.js');
  const lines: string[] = [];
  for (const { name, available } of devices) {
    if (!available || !name.startsWith('cuda')) continue;
    const device = deviceOf(name as `cuda:${number}`);
    for (const { batch, time, ...sizes } of tunedShapes) {
      using layer = new GRU({ ...sizes, device: device.name });
      await layer.tune([true, false].map((training) => ({ batch, time, training })));
    }
    lines.push(...addon.choices(device.index));
  }
  return [...new Set(lines)];
}

function describeChoices(lines: readonly string[]): string {
  if (lines.length === 0) return '\nNothing to tune: no GPU can be used here.';
  return ['', 'GRU calls and how they are computed:', ...lines.map((line) => `  ${line.replace('\t', ': ')}`)].join(
    '\n',
  );
}

interface NativeReport {
  /** Why the addon cannot be used; null when it can. */
  error: string | null;
  addon: string | null;
  threads: number | null;
  devices: DeviceReport[];
}

async function native(): Promise<NativeReport> {
  try {
    const { devices, getThreads } = await import('../tensor/device.js');
    const loaded = (process.report?.getReport() as { sharedObjects?: string[] } | undefined)?.sharedObjects ?? [];
    const addon = loaded.find((path) => path.endsWith('.node')) ?? null;
    return { error: null, addon, threads: getThreads(), devices: devices() };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error), addon: null, threads: null, devices: [] };
  }
}

function describe(report: Awaited<ReturnType<typeof platform>> & NativeReport): string {
  const {
    package: version,
    node,
    napi,
    platform,
    architecture,
    libc,
    cpus,
    environment,
    error,
    addon,
    threads,
    devices,
  } = report;
  const rows = [
    ['package', `cudnn-gru ${version}`],
    ['Node.js', `${node} (Node-API ${napi})`],
    ['platform', [platform, architecture, libc].filter(Boolean).join(' ')],
    ['CPUs', String(cpus)],
    ...Object.entries(environment).map(([name, value]) => [name, String(value)]),
    ['addon', addon ?? 'not usable'],
    ['threads', String(threads ?? '-')],
  ];
  const table = rows.map(([name, value]) => `${`${name}:`.padEnd(12)} ${value}`).join('\n');
  if (error !== null) return `${table}\n\n${error}`;
  const found = devices.map(({ name, available, description, reason }) =>
    [`${name}:`.padEnd(12), available ? description : `not available: ${reason}`].join(' '),
  );
  // Every library, every path that was tried, every error of the loader: the same for all GPUs.
  const details = devices.find((device) => device.details.length > 0)?.details ?? [];
  if (details.length > 0) found.push('', 'NVIDIA libraries:', ...details.map((line) => `  ${line}`));
  return [table, ...found].join('\n');
}
