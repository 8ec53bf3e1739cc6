// Checks a built addon for shipping (needs objdump for all but macOS): node scripts/check-binary.mjs [--local] FILE...
// It exports the two Node-API entry points and nothing else, needs no library beyond the system's own (never a CUDA
// library, never a shared libstdc++), and carries no run path. Prints the oldest system it loads on, which is refused if it is too new,
// unless the build is for this machine only (--local).
import { readFileSync, statSync } from 'node:fs';
import { readElf } from './binaries/elf.mjs';
import { readMachO } from './binaries/mach_o.mjs';
import { readPe } from './binaries/pe.mjs';

const entryPoints = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
const readers = { '7f454c46': readElf, cffaedfe: readMachO, '4d5a': readPe };

function check(file, options) {
  const magic = readFileSync(file).toString('hex', 0, 4);
  const reader = Object.entries(readers).find(([start]) => magic.startsWith(start))?.[1];
  if (!reader) throw new Error(`${file}: not an ELF, Mach-O or PE file`);
  const { needed, exported, faults, summary } = reader(file, options);
  for (const name of exported) if (!entryPoints.includes(name)) faults.push(`exports ${name}`);
  for (const name of entryPoints) if (!exported.includes(name)) faults.push(`does not export ${name}`);
  console.log(`${file}: ${(statSync(file).size / 1e6).toFixed(2)} MB, needs ${needed.join(', ')}; ${summary}`);
  for (const fault of faults) console.error(`${file}: ${fault}`);
  return faults.length === 0;
}

const args = process.argv.slice(2);
const local = args.includes('--local');
const results = args.filter((arg) => arg !== '--local').map((file) => check(file, { local }));
process.exit(results.length > 0 && results.every(Boolean) ? 0 : 1);
