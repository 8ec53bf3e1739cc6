import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CudnnGruError } from '../errors.js';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the system allows',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'the disk reported an input/output error',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'the path has too many symbolic links',
};

/**
 * Turns an error of Node's file functions into an ERR_FILE that says in words what could not be done and why; any other
 * error is handed back as it is.
 */
export function fileError(error: unknown, action: 'read' | 'write', path: string): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return error;
  const code = String(error.code);
  let reason = REASONS[code] ?? error.message;
  if (code === 'ENOENT') reason = action === 'read' ? 'there is no such file' : `there is no folder ${dirname(path)}`;
  return new CudnnGruError('ERR_FILE', `cannot ${action} ${path}: ${reason}`, { cause: error });
}

/** Opens a regular file for reading. */
export async function openForReading(path: string): Promise<{ file: FileHandle; size: number }> {
  let file: FileHandle | undefined;
  try {
    // Asked before opening: to open a named pipe would wait for its writer.
    if (!(await stat(path)).isFile()) {
      throw new CudnnGruError('ERR_FILE', `cannot read ${path}: it is not a regular file`);
    }
    file = await open(path, 'r');
    return { file, size: (await file.stat()).size };
  } catch (error) {
    await file?.close();
    throw fileError(error, 'read', path);
  }
}

/**
 * Writes a file so that its name always holds either the old contents or the complete new ones, also after a crash or
 * a power cut: `write` fills a temporary file in the same folder, which is flushed to the disk and then renamed. When
 * anything fails the temporary file is removed and the old file is untouched.
 */
export async function writeFileAtomically(
  path: string,
  write: (file: FileHandle, temporary: string) => Promise<void>,
): Promise<void> {
  let temporary: string | undefined;
  let file: FileHandle | undefined;
  try {
    const target = await writeTarget(path);
    const folder = dirname(target);
    const name = join(folder, `.${basename(target)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
    file = await open(name, 'wx');
    temporary = name;
    await write(file, temporary);
    await file.sync();
    await file.close();
    file = undefined;
    await rename(temporary, target);
    temporary = undefined;
    await syncFolder(folder);
  } catch (error) {
    await file?.close().catch(() => undefined);
    if (temporary !== undefined) await unlink(temporary).catch(() => undefined);
    throw fileError(error, 'write', path);
  }
}

// Bytes written in one call; Node takes at most 2^31 - 1.
const CHUNK = 1 << 22;

/** Writes all bytes at the file's position. */
export async function writeBytes(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, Math.min(CHUNK, bytes.length - done))).bytesWritten;
  }
}

// The name to rename to: a symbolic link keeps pointing at its file, and a folder or device is refused before any work.
async function writeTarget(path: string): Promise<string> {
  let target: string;
  try {
    target = await realpath(path);
  } catch {
    return path; // not there yet
  }
  if (!(await stat(target)).isFile()) {
    throw new CudnnGruError('ERR_FILE', `cannot write ${path}: it exists and is not a regular file`);
  }
  return target;
}

// The rename itself is on the disk only once the folder is. Some systems (Windows) cannot open a folder: they order
// the rename themselves, so that failure is no failure of the write.
/** @internal */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  if (handle === undefined) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
}
