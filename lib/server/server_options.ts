import { resolve } from 'node:path';
import {
  checkInteger,
  checkNumber,
  checkOneOf,
  checkOptions,
  checkString,
  wrongKind,
  wrongRange,
} from '../arguments.js';
import type { DeviceName } from '../tensor/device.js';

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface ServerOptions {
  /** Model files (what `saveModel` wrote) by the names under which they are served. */
  models: Readonly<Record<string, string>>;
  /** Address to listen on. Default: '127.0.0.1', this machine only. */
  host?: string;
  /** Default: 8000; 0 takes any that is free. */
  port?: number;
  /** Where the models are computed. Default: 'cpu'. */
  device?: DeviceName | 'auto';
  /** What every request must carry as `Authorization: Bearer …`, but those for health and for pages without data. Default: none. */
  token?: string;
  /** Rows that are computed together, at most; 1: every request alone. Default: 32. */
  maxBatch?: number;
  /** Milliseconds that a request is held back, at most, for a batch to fill while the device computes another. Default: 2. */
  maxWait?: number;
  /** Requests that wait for one model, at most; more are answered with 503. Default: 256. */
  maxQueue?: number;
  /** Bytes of one request's body, at most. Default: 8 MiB. */
  maxBody?: number;
  /** Bytes of the bodies of all requests that are not answered yet, at most; more are answered with 503. Default: 256 MiB. */
  maxPendingBytes?: number;
  /** Steps of one request, at most: rows × time. Default: 65,536. */
  maxSteps?: number;
  /** Live streams of all models, at most. Default: 1000. */
  maxStreams?: number;
  /** Seconds within which a request must have arrived, and again within which it must be answered. Default: 30. */
  timeout?: number;
  /** Seconds that `close` waits for the requests that are being answered. Default: 30. */
  drainTimeout?: number;
  /** Logs are lines of JSON on stderr, 'info': failed requests, 'debug': all. Default: 'info'. */
  logLevel?: LogLevel;
}

/** All options, with their defaults. */
export type ServerSettings = Required<Omit<ServerOptions, 'token'>> & Pick<ServerOptions, 'token'>;

const defaults = {
  host: '127.0.0.1',
  port: 8000,
  device: 'cpu',
  maxBatch: 32,
  maxWait: 2,
  maxQueue: 256,
  maxBody: 8 * 2 ** 20,
  maxPendingBytes: 256 * 2 ** 20,
  maxSteps: 65_536,
  maxStreams: 1000,
  timeout: 30,
  drainTimeout: 30,
  logLevel: 'info',
} as const;

const count = { min: 1, max: 2 ** 31 - 1 };
const seconds = { min: 0.1, max: 86_400 };

/** @throws TypeError, RangeError */
export function checkServerOptions(options: ServerOptions): ServerSettings {
  checkOptions(options, 'options', ['models', 'token', ...Object.keys(defaults)]);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings = { ...defaults, ...given } as ServerSettings;
  checkString(settings.host, 'host');
  checkInteger(settings.port, 'port', { min: 0, max: 65_535 });
  for (const name of ['maxBatch', 'maxQueue', 'maxBody', 'maxPendingBytes', 'maxSteps'] as const)
    checkInteger(settings[name], name, count);
  checkInteger(settings.maxStreams, 'maxStreams', { ...count, min: 0 });
  checkNumber(settings.maxWait, 'maxWait', { min: 0, max: 60_000 });
  checkNumber(settings.timeout, 'timeout', seconds);
  checkNumber(settings.drainTimeout, 'drainTimeout', seconds);
  checkOneOf(settings.logLevel, 'logLevel', logLevels);
  if (settings.token !== undefined) checkString(settings.token, 'token');
  return { ...settings, models: checkModels(settings.models) };
}

// The paths are made absolute, so that a reload finds the same file whatever has become of the working folder.
function checkModels(models: unknown): Record<string, string> {
  if (typeof models !== 'object' || models === null) throw wrongKind('models', 'an object of paths by name', models);
  const entries = Object.entries(models);
  if (entries.length === 0) throw wrongRange('models', 'at least one model', models);
  for (const [name, path] of entries) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name))
      throw wrongRange('models', 'names of letters, digits, dots, hyphens and underscores (at most 100)', name);
    checkString(path, `models[${JSON.stringify(name)}]`);
  }
  return Object.fromEntries(entries.map(([name, path]) => [name, resolve(path)]));
}
