import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { quote } from '../arguments.js';
import { fileError } from '../formats/files.js';
import { type Command, exitCodes } from './command.js';
import { type Options, UsageError } from './options.js';
import { printText } from './output.js';

export const serve: Command = {
  usage: 'serve <...models>',
  description: 'Serve model files by HTTP; a file is served under its own name, or as NAME=FILE says',
  options: [
    ['--host <address>', 'Address to listen on (default: 127.0.0.1, this machine only)'],
    ['--port <n>', 'Port to listen on; 0: any that is free (default: 8000)'],
    ['--device <name>', 'cpu, cuda, cuda:1 or auto (default: cpu)'],
    ['--threads <n>', 'Threads to compute with (default: the CPUs granted)'],
    ['--token-file <file>', 'File with the token that requests must carry (default: none is asked for)'],
    ['--max-batch <rows>', 'Rows that are computed together; 1: each request alone (default: 32)'],
    ['--max-wait <ms>', 'How long a request is held back for a batch while another is computed (default: 2)'],
    ['--max-queue <n>', 'Requests that may wait for one model (default: 256)'],
    ['--max-body <bytes>', 'Size of a request (default: 8388608)'],
    ['--max-pending <bytes>', 'Size of all requests that are not answered yet (default: 268435456)'],
    ['--max-steps <n>', 'Steps of a request, rows × time (default: 65536)'],
    ['--max-streams <n>', 'Live streams (default: 1000)'],
    ['--timeout <s>', 'For a request to arrive, and again to be answered (default: 30)'],
    ['--drain-timeout <s>', 'For the last requests when the server is told to end (default: 30)'],
    ['--log-level <level>', 'error, warn, info (failed requests), debug (all) or silent (default: info)'],
  ],
  examples: ['serve model.safetensors', 'serve weather=model.safetensors --port 9000 --token-file token.txt'],

  async run(files, options) {
    const threads = options.integer('threads', { min: 1, max: 1024 });
    const given = {
      models: namedModels(files),
      host: options.text('host'),
      port: options.integer('port', { min: 0, max: 65_535 }),
      device: options.text('device'),
      token: await readToken(options),
      maxBatch: options.integer('max-batch', { min: 1 }),
      maxWait: options.number('max-wait', { min: 0 }),
      maxQueue: options.integer('max-queue', { min: 1 }),
      maxBody: options.integer('max-body', { min: 1 }),
      maxPendingBytes: options.integer('max-pending', { min: 1 }),
      maxSteps: options.integer('max-steps', { min: 1 }),
      maxStreams: options.integer('max-streams', { min: 0 }),
      timeout: options.number('timeout', { above: 0 }),
      drainTimeout: options.number('drain-timeout', { above: 0 }),
      logLevel: options.text('log-level'),
    };
    const [{ startServer }, { setThreads }] = await Promise.all([
      import('../server/index.js'),
      import('../tensor/device.js'),
    ]);
    if (threads !== undefined) setThreads(threads);
    const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const server = await startServer(defined as unknown as Parameters<typeof startServer>[0]);
    const terminated = untilTerminated(() => server.reload());
    printText(server.url);
    await terminated;
    await server.close();
    return exitCodes.success;
  },
};

function namedModels(files: readonly string[]): Record<string, string> {
  const models: Record<string, string> = {};
  for (const file of files) {
    const [, name, path] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/.exec(file) ?? [
      file,
      basename(file).replace(/\.safetensors$/, ''),
      file,
    ];
    if (Object.hasOwn(models, name as string)) {
      throw new UsageError(`two models are named ${quote(name as string)}; write NAME=FILE`);
    }
    models[name as string] = path as string;
  }
  return models;
}

async function readToken(options: Options): Promise<string | undefined> {
  const path = options.text('token-file');
  if (path === undefined) return undefined;
  const text = await readFile(path, 'utf8').catch((error: unknown) => Promise.reject(fileError(error, 'read', path)));
  const token = text.trim();
  if (token.length < 8 || /\s/.test(token)) {
    throw new UsageError(`--token-file: ${path} must hold one word of at least 8 characters`);
  }
  return token;
}

/** Resolves at SIGTERM or Ctrl-C; SIGHUP calls `reload`. A second SIGTERM or Ctrl-C ends the process without that. */
function untilTerminated(reload: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    let ending = false;
    const onEnd = () => {
      if (ending) process.exit(exitCodes.interrupted);
      ending = true;
      resolve();
    };
    process.on('SIGTERM', onEnd);
    process.on('SIGINT', onEnd);
    // The log says what came of it.
    process.on('SIGHUP', () => void reload().catch(() => undefined));
  });
}
