import type { DeviceReport } from '../tensor/device.js';
import { packageVersion } from '../version.js';
import { type Command, exitCodes } from './command.js';
import { printJson, printText } from './output.js';

export const doctor: Command = {
  usage: 'doctor',
  description: 'Show what this machine offers: platform, versions, devices, and why one is missing',
  options: [['--json', 'Print it as one JSON document']],
  examples: ['doctor', 'doctor --json'],

  async run(_, options) {
    const report = { ...(await platform()), ...(await native()) };
    if (options.flag('json')) printJson(report);
    else printText(describe(report));
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
  return [table, ...found].join('\n');
}
