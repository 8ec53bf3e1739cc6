import { objdump } from './objdump.mjs';

const systemLibraries = /^(libc|libm|libdl|libpthread|librt|ld-linux-[\w-]+|ld-musl-\w+|libc\.musl-\w+)\.so(\.\d+)?$/;
// 2.28 is what Node.js 20 itself needs.
const newestGlibc = [2, 28];

/** Linux. `local`: a build for this machine only, which may need this machine's glibc. */
export function readElf(file, { local }) {
  const headers = objdump('-p', file);
  const symbols = objdump('-T', file).split('\n');
  const nameOf = (line) => line.trim().split(/\s+/).at(-1);
  const needed = [...headers.matchAll(/NEEDED\s+(\S+)/g)].map((match) => match[1]);
  const exported = symbols.filter((line) => /^[0-9a-f]{8,} [gwu]/.test(line) && !line.includes('*UND*')).map(nameOf);
  const faults = needed.filter((name) => !systemLibraries.test(name)).map((name) => `needs ${name}`);
  if (/RUNPATH|RPATH/.test(headers)) faults.push('has a run path');
  if (!needed.includes('libc.so.6')) return { needed, exported, faults, summary: 'musl' };

  // Node itself provides the Node-API functions; with glibc, any other symbol without a version is defined by no source.
  for (const line of symbols) {
    const name = nameOf(line);
    if (!line.includes('*UND*') || / w /.test(line) || line.includes('GLIBC_') || /^(napi|node_api)_/.test(name))
      continue;
    faults.push(`does not define ${name}`);
  }
  const newest = [...symbols.join('\n').matchAll(/GLIBC_(\d+)\.(\d+)/g)]
    .map((match) => [Number(match[1]), Number(match[2])])
    .reduce((a, b) => (b[0] > a[0] || (b[0] === a[0] && b[1] > a[1]) ? b : a), [0, 0]);
  const tooNew = newest[0] > newestGlibc[0] || (newest[0] === newestGlibc[0] && newest[1] > newestGlibc[1]);
  if (tooNew && !local) faults.push(`needs glibc ${newest.join('.')}: expected ${newestGlibc.join('.')} or older`);
  return { needed, exported, faults, summary: `glibc ${newest.join('.')} or newer` };
}
