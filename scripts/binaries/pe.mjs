import { objdump } from './objdump.mjs';

// What every Windows since 10 has: the kernel's functions and the universal C runtime.
const systemLibraries = /^(kernel32\.dll|api-ms-win-crt-[\w-]+\.dll|advapi32\.dll|ntdll\.dll)$/i;

/** Windows. */
export function readPe(file) {
  const headers = objdump('-p', file);
  const needed = [...headers.matchAll(/DLL Name: (\S+)/g)].map((match) => match[1]);
  // The last table of the export section: `[ 0] name`, with other tables in the same brackets before it.
  const [, names = ''] = headers.split('[Ordinal/Name Pointer] Table');
  const exported = [
    ...names.split('\n\n')[0].matchAll(/^\s*\[\s*\d+\]\s+(?:\+base\[\s*\d+\]\s+[0-9a-f]+\s+)?([A-Za-z_]\w*)\s*$/gm),
  ].map((match) => match[1]);
  const faults = needed.filter((name) => !systemLibraries.test(name)).map((name) => `needs ${name}`);
  return { needed, exported, faults, summary: 'Windows 10 or newer' };
}
