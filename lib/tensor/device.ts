import { checkInteger, wrongKind } from '../arguments.js';
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
  /** Memory of the tensors of this environment; null while the device has not been used here. */
  memory: MemoryUse | null;
}

/** A device in use. One object per device, so that identity compares. */
export interface Device {
  readonly name: DeviceName;
  readonly index: DeviceIndex;
}

const open = new Map<string, Device>();

/**
 * The device of this name, opened at its first use.
 * @throws TypeError for a value that is no string; CudnnGruError `ERR_DEVICE_UNAVAILABLE` with the reason and the remedy,
 * `ERR_UNSUPPORTED` for a name that no backend has.
 */
export function deviceOf(name: DeviceName | 'auto'): Device {
  const known = open.get(name);
  if (known) return known;
  if (typeof name !== 'string') throw wrongKind('device', "'cpu', 'cuda', 'cuda:<number>' or 'auto'", name);
  const chosen = name === 'auto' ? automatic() : name === 'cuda' ? 'cuda:0' : name;
  const device = open.get(chosen) ?? { name: chosen as DeviceName, index: addon.openDevice(chosen) };
  open.set(chosen, device);
  open.set(name, device);
  return device;
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
 * How many threads the CPU device computes with. The default is the number of CPUs granted to the process, or
 * `CUDNN_GRU_THREADS`. Waits for the work in the queue.
 * @throws TypeError, RangeError unless `threads` is an integer from 1 to 1024.
 */
export function setThreads(threads: number): void {
  addon.setThreads(deviceOf('cpu').index, checkInteger(threads, 'threads', { min: 1, max: 1024 }));
}

export function getThreads(): number {
  return addon.threads(deviceOf('cpu').index);
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
