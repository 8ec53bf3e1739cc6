import { checkInteger, wrongKind, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { DeviceIndex, MemoryUse } from '../native/addon.js';
import { addon } from '../native/load.js';
import { flushReleases } from './storage.js';

/** Where tensors live: `'cpu'`, `'cuda'` (the first GPU), `'cuda:1'`, or `'auto'`: a GPU if one can be used, else the CPU. */
export type DeviceName = 'cpu' | 'cuda' | `cuda:${number}`;

/** One device of this machine, as `devices()` reports it. */
export interface DeviceReport {
  name: string;
  available: boolean;
  /** What it is: processor, instruction set, threads. */
  description: string;
  /** Why it cannot be used, and the remedy; empty when it can. */
  reason: string;
  /** What was looked for, where, and what was found: each library and each path that was tried, a line each. */
  details: readonly string[];
  /** Memory of the tensors of this environment; null while the device has not been used here. */
  memory: MemoryUse | null;
}

/** A device in use. One object per device, so that identity compares. */
export interface Device {
  readonly name: DeviceName;
  readonly index: DeviceIndex;
  /** The most time steps that one native `gru` of the reset-after cell takes. */
  readonly mostGruSteps: number;
}

const names = "'cpu', 'cuda', 'cuda:<number>' or 'auto'";
const open = new Map<string, Device>();
let defaultName: DeviceName | 'auto' = 'cpu';
let threadsAsked: number | undefined;

/**
 * The device of this name, opened at its first use.
 * @param name default: 'cpu'
 * @throws TypeError, RangeError for what is no device's name; CudnnGruError `ERR_DEVICE_UNAVAILABLE` with the reason and the remedy
 */
export function deviceOf(name: DeviceName | 'auto' = defaultName): Device {
  const known = open.get(name);
  if (known) return known;
  if (typeof name !== 'string') throw wrongKind('device', names, name);
  if (!/^(auto|cpu|cuda(:(0|[1-9]\d{0,3}))?)$/.test(name)) throw wrongRange('device', names, name);
  const chosen = name === 'auto' ? automatic() : name === 'cuda' ? 'cuda:0' : name;
  const device = open.get(chosen) ?? openDevice(chosen as DeviceName);
  open.set(chosen, device);
  open.set(name, device);
  return device;
}

function openDevice(name: DeviceName): Device {
  const index = addon.openDevice(name);
  return { name, index, mostGruSteps: addon.mostGruSteps(index) };
}

/** @internal Runs `fn` so that what is made in it without naming a device is made on this one. */
export function withDefaultDevice<T>(name: DeviceName | 'auto', fn: () => T): T {
  const before = defaultName;
  defaultName = name;
  try {
    return fn();
  } finally {
    defaultName = before;
  }
}

function automatic(): string {
  const first = addon.devices().find((device) => device.available);
  if (!first) throw new CudnnGruError('ERR_DEVICE_UNAVAILABLE', 'no device can be used on this machine');
  return first.name;
}

/** Every device that this build knows, with the reason where one cannot be used. */
export function devices(): DeviceReport[] {
  flushReleases();
  return addon.devices().map((report) => {
    const device = open.get(report.name);
    return { ...report, memory: device ? addon.memoryUse(device.index) : null };
  });
}

/**
 * How many threads the CPU device computes with, from the next operation on. The default is the number of CPUs granted to the process, or
 * `CUDNN_GRU_THREADS`. Results do not depend on it.
 * @throws TypeError, RangeError unless `threads` is an integer from 1 to 1024.
 */
export function setThreads(threads: number): void {
  threadsAsked = checkInteger(threads, 'threads', { min: 1, max: 1024 });
  addon.setThreads(deviceOf('cpu').index, threads);
}

export function getThreads(): number {
  return threadsAsked ?? addon.threads(deviceOf('cpu').index);
}

/** Resolves when everything queued on the device so far has run. */
export async function synchronize(device: DeviceName | 'auto' = 'cpu'): Promise<void> {
  await addon.drain(deviceOf(device).index, 0);
}

/** Gives the device's freed blocks, kept for reuse, back to the system. */
export function releaseCache(device: DeviceName | 'auto' = 'cpu'): void {
  flushReleases();
  addon.releaseCache(deviceOf(device).index);
}
