// Checks a built addon for shipping (Linux; needs objdump): node scripts/check-binary.mjs FILE
// It exports the two Node-API entry points and nothing else, needs no library beyond the C library's own (never a CUDA
// library, never a shared libstdc++), and carries no run path. Prints the oldest glibc it loads on.
import { execFileSync } from 'node:child_process';

const entryPoints = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
const systemLibraries = /^(libc|libm|libdl|libpthread|librt|ld-linux-[\w-]+|ld-musl-\w+|libc\.musl-\w+)\.so(\.\d+)?$/;

const file = process.argv[2];
const objdump = (...options) => execFileSync('objdump', [...options, file], { encoding: 'utf8' });

const faults = [];
const headers = objdump('-p');
const symbols = objdump('-T').split('\n');

const needed = [...headers.matchAll(/NEEDED\s+(\S+)/g)].map((match) => match[1]);
for (const name of needed) if (!systemLibraries.test(name)) faults.push(`needs ${name}`);
if (/RUNPATH|RPATH/.test(headers)) faults.push('has a run path');

const exported = symbols
  .filter((line) => /^[0-9a-f]{8,} [gwu]/.test(line) && !line.includes('*UND*'))
  .map((line) => line.trim().split(/\s+/).at(-1));
for (const name of exported) if (!entryPoints.includes(name)) faults.push(`exports ${name}`);
for (const name of entryPoints) if (!exported.includes(name)) faults.push(`does not export ${name}`);

// Node itself provides the Node-API functions; with glibc, any other symbol without a version is defined by no source.
for (const line of needed.includes('libc.so.6') ? symbols : []) {
  const name = line.trim().split(/\s+/).at(-1);
  if (!line.includes('*UND*') || / w /.test(line) || line.includes('GLIBC_') || /^(napi|node_api)_/.test(name))
    continue;
  faults.push(`does not define ${name}`);
}

const versions = [...symbols.join('\n').matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(
  (match) => Number(match[1]) * 1000 + Number(match[2]),
);
const newest = Math.max(0, ...versions);
console.log(`${file}: needs ${needed.join(', ')}; glibc ${Math.floor(newest / 1000)}.${newest % 1000} or newer`);
for (const fault of faults) console.error(`${file}: ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);
