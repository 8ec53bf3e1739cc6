import { readFileSync } from 'node:fs';

// Load commands and symbol bits, as <mach-o/loader.h> and <mach-o/nlist.h> number them.
const symbolTable = 0x2;
const loadLibrary = 0xc;
const codeSignature = 0x1d;
const runPath = 0x8000001c;
const buildVersion = 0x32;
const external = 0x01;
const privateExternal = 0x10;
const debugging = 0xe0;
const undefinedType = 0x0;
const typeBits = 0x0e;
// A symbol that any loaded image may define (-undefined dynamic_lookup).
const dynamicLookup = 0xfe;
const arm64 = 0x0100000c;
// The linker's own names for the file itself, which every library has; and operator new and delete, which zig's linker cannot hide: the
// system takes one definition for all libraries of a program, and they all stand on malloc and free.
const unavoidable = /^(_mh_dylib_header|__dso_handle|_Z(n[aw]|d[al])\w+)$/;
const headerSize = 32;
const symbolSize = 16;

/** macOS, 64 bit, one processor. */
export function readMachO(file) {
  const bytes = readFileSync(file);
  const textAt = (offset) => bytes.toString('latin1', offset, bytes.indexOf(0, offset));
  const commands = [];
  for (let i = 0, at = headerSize; i < bytes.readUInt32LE(16); i++, at += bytes.readUInt32LE(at + 4))
    commands.push({ at, kind: bytes.readUInt32LE(at) });
  const find = (kind) => commands.find((command) => command.kind === kind)?.at;

  const needed = commands
    .filter(({ kind }) => kind === loadLibrary)
    .map(({ at }) => textAt(at + bytes.readUInt32LE(at + 8)));
  const faults = needed
    .filter((name) => !/^\/usr\/lib\/lib(System\.B|c\+\+\.1)\.dylib$/.test(name))
    .map((name) => `needs ${name}`);
  if (find(runPath) !== undefined) faults.push('has a run path');

  const exported = [];
  const table = find(symbolTable);
  const [symbols, count, strings] = [8, 12, 16].map((offset) => bytes.readUInt32LE(table + offset));
  for (let at = symbols; at < symbols + count * symbolSize; at += symbolSize) {
    const type = bytes[at + 4];
    if ((type & (debugging | privateExternal)) !== 0 || (type & external) === 0) continue;
    // C names carry an underscore in front.
    const name = textAt(strings + bytes.readUInt32LE(at)).replace(/^_/, '');
    if (unavoidable.test(name)) continue;
    if ((type & typeBits) !== undefinedType) exported.push(name);
    else if (bytes[at + 7] === dynamicLookup && !/^(napi|node_api)_/.test(name)) faults.push(`does not define ${name}`);
  }

  const signed = find(codeSignature) !== undefined;
  // Apple's processors run nothing unsigned; an ad-hoc signature, as the linker makes it, is enough.
  if (bytes.readUInt32LE(4) === arm64 && !signed) faults.push('is not signed');
  const version = find(buildVersion);
  const oldest = version === undefined ? undefined : bytes.readUInt32LE(version + 12);
  if (oldest === undefined) faults.push('does not say for which macOS it is');
  const summary = `macOS ${oldest >> 16}.${(oldest >> 8) & 255} or newer, ${signed ? 'signed ad hoc' : 'not signed'}`;
  return { needed, exported, faults, summary };
}
