import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The folder that the command runs in; removed after the tests of the file. */
export const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Runs the built command line as a process.
 * @param onStderr called with everything that it has written so far and a function that sends it a signal
 */
export function cli(
  words: readonly string[],
  onStderr?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void,
): Promise<Finished> {
  if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build first`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...words], {
      cwd: folder,
      // Libraries take CI for a terminal with colours; a pipe must get none all the same.
      env: { ...process.env, CI: 'true' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
      onStderr?.(stderr, (signal) => child.kill(signal));
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

export function inFolder(name: string): string {
  return join(folder, name);
}

/** Writes a CSV file into the folder: `rows` days of two columns that swing, with some deterministic unrest. */
export function writeSeries(name: string, rows: number): void {
  const lines = ['date,level,other'];
  for (let row = 0; row < rows; row++) {
    const date = new Date(Date.UTC(2020, 0, 1 + row)).toISOString().slice(0, 10);
    const unrest = ((row * 7919) % 101) / 101 - 0.5;
    lines.push(
      `${date},${(10 + 5 * Math.sin(row / 9) + unrest).toFixed(3)},${(Math.cos(row / 9) + unrest).toFixed(3)}`,
    );
  }
  writeFileSync(inFolder(name), `${lines.join('\n')}\n`);
}

/** The words of a small training; an option in `more` replaces the one here. */
export function trainingWords(data: string, out: string, ...more: string[]): string[] {
  const usual = {
    '--data': data,
    '--target': 'level',
    '--inputs': 'other',
    '--time': 'date',
    '--out': out,
    '--window': '12',
    '--horizon': '3',
    '--hidden-size': '6',
    '--batch-size': '16',
    '--epochs': '2',
  };
  return [
    'train',
    'forecast',
    ...Object.entries(usual)
      .filter(([name]) => !more.includes(name))
      .flat(),
    ...more,
  ];
}
