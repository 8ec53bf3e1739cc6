import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Generator, GRU, Linear, noGrad, Sequential, type Tensor, tensor } from 'cudnn-gru';
import { onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How long to wait, with `expect.poll` or `vi.waitFor`, for what a server notices in its own time. */
export const patient = { timeout: 20_000, interval: 20 };

export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** The lines of its log so far. */
  log(): Record<string, unknown>[];
  /** Sends a signal; resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `cudnn-gru serve` on a free port; it ends with the test or hook that calls this unless `keep` is set. */
export async function serve(words: readonly string[], { keep = false } = {}): Promise<ServerProcess> {
  if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build first`);
  const child = spawn(process.execPath, [main, 'serve', ...words, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const server = {
    child,
    log: () =>
      stderr
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line)),
    end(signal: NodeJS.Signals = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
  if (!keep) onTestFinished(() => void server.end('SIGKILL'));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
    void exited.then((code) => reject(new Error(`the server ended with ${code}: ${stderr}`)));
  });
  return { ...server, url };
}

/** GRU of 3 features and 8 units, then 2 outputs for every step; another seed gives other parameters. */
export function smallModel(seed: number): Sequential {
  const generator = new Generator(seed);
  return new Sequential(
    new GRU({ inputSize: 3, hiddenSize: 8, generator }),
    new Linear({ inputSize: 8, outputSize: 2, generator }),
  ).eval();
}

/** Numbers that differ from `seed` to `seed`. */
export function numbers(count: number, seed = 0): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * (seed + 1)));
}

/** What the model gives in memory: [rows, time, 2] for [rows, time, 3]. */
export function predicted(model: Sequential, x: Float32Array, shape: readonly number[]): Float32Array {
  const output = noGrad(() => model.forward(tensor(x, [...shape])) as Tensor);
  return output.dataSync() as Float32Array;
}

/** An inference request's JSON document. */
export function inferenceRequest(x: Float32Array, shape: readonly number[], more: object = {}): object {
  return { inputs: [{ name: 'input', shape, datatype: 'FP32', data: Array.from(x) }], ...more };
}

/** Sends JSON; gives status, headers and the answer's JSON (null for none). */
export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; json: never }> {
  const response = await fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: JSON.parse(text || 'null') as never };
}
