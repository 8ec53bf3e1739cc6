import { closeSync, openSync, readSync } from 'node:fs';

/** The loader that an ELF executable names: /lib64/ld-linux-x86-64.so.2 with glibc, /lib/ld-musl-x86_64.so.1 with musl. */
function loaderOf(executable: string): string {
  const file = openSync(executable, 'r');
  const read = (position: number, length: number) => {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, position));
  };
  try {
    const header = read(0, 64);
    const [offset, size, count] = [
      Number(header.readBigUInt64LE(32)),
      header.readUInt16LE(54),
      header.readUInt16LE(56),
    ];
    for (let i = 0; i < count; i++) {
      const segment = read(offset + i * size, size);
      const interpreter = 3;
      if (segment.readUInt32LE(0) !== interpreter) continue;
      return read(Number(segment.readBigUInt64LE(8)), Number(segment.readBigUInt64LE(32))).toString('latin1');
    }
    return '';
  } finally {
    closeSync(file);
  }
}

/** True where the running program stands on musl: Alpine Linux and others. */
export function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return loaderOf(process.execPath).includes('ld-musl-');
  } catch {
    // An executable that cannot be read, or is none: most are of glibc.
    return false;
  }
}

/** glibc's version, where the running program can say it. */
export function glibcVersion(): string | undefined {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime;
}
