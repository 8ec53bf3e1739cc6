import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cache, installWheels } from '../wheels.mjs';

const wheel = 'ziglang==0.15.2';

/** The path of the zig compiler, which is installed from its PyPI wheel first if it is missing. */
export function zig() {
  const folder = join(cache, wheel.replace('==', '-'));
  if (!existsSync(folder)) installWheels('the cross compiler zig', [wheel], folder);
  return join(folder, 'ziglang', 'zig');
}
