import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const compiled = fileURLToPath(new URL('../../dist/cli/interrupt.js', import.meta.url));

// Work that notices the signal but never ends.
const program = `
  import { untilInterrupted } from ${JSON.stringify(compiled)};
  setInterval(() => undefined, 1000);
  await untilInterrupted((signal) => new Promise(() => {
    signal.addEventListener('abort', () => console.log('aborted'));
    console.log('working');
  }));
`;

it('the first SIGINT aborts the signal, a second one ends the process with 130', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen.push(text.trim());
    child.kill('SIGINT');
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(seen).toEqual(['working', 'aborted']);
  expect(code).toBe(130);
});
