import { execFileSync } from 'node:child_process';

/** What objdump (of binutils) prints about a file. */
export function objdump(option, file) {
  return execFileSync('objdump', [option, file], { encoding: 'utf8', maxBuffer: 2 ** 28 });
}
