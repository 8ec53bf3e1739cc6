import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Tools that only some builds and tests need are kept here; git ignores it. */
export const cache = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache');

/** Ends the program with one line of reason. */
export function fail(message) {
  console.error(`cudnn-gru: ${message}`);
  process.exit(1);
}

/**
 * Installs Python wheels, and nothing that they depend on, into a folder of their own; `finish(folder)` may add to it before it gets its
 * name. `options` go to pip. Nothing outside the folder changes.
 */
export function installWheels(what, wheels, folder, { options = [], finish = () => {} } = {}) {
  const python = ['python3', 'python'].find((name) => spawnSync(name, ['-m', 'pip', '--version']).status === 0);
  if (!python) fail(`installing ${what} needs Python 3 with pip`);

  // Under another name until it is whole.
  const unfinished = `${folder}.${process.pid}`;
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--root-user-action=ignore'];
  const { status } = spawnSync(
    python,
    [...pip, '--no-deps', '--only-binary', ':all:', ...options, '--target', unfinished, ...wheels],
    { stdio: 'inherit' },
  );
  if (status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    fail(`pip could not install ${what} (${wheels.join(', ')}); it needs a network with a package index`);
  }
  finish(unfinished);
  renameSync(unfinished, folder);
}
