import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/soak-server.mjs', import.meta.url));

// The short form of `npm run soak:server`: memory settles in minutes only, so here it may still grow.
it('good requests are answered rightly among malformed, oversized, slow and aborted ones', async () => {
  const child = spawn(process.execPath, [script, '--seconds', '15', '--growth', '1.5'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on('close', resolve)),
  ]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const counts = JSON.parse(/\{.*\}/.exec(stdout)?.[0] as string) as Record<string, number>;
  for (const kind of ['good', 'malformed', 'oversized', 'slow', 'aborted', 'garbage', 'reloads']) {
    expect(counts[kind]).toBeGreaterThan(0);
  }
});
