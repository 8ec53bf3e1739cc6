import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { CudnnGruError } from '../../lib/errors.js';
import { fileError, openForReading, writeFileAtomically } from '../../lib/formats/files.js';
import { temporaryFolder } from './temporary_folder.js';

const path = temporaryFolder();
const temporaries = async () => (await readdir(path())).filter((name) => name.endsWith('.tmp'));

test('the old contents stay until the new ones are complete', async () => {
  await writeFile(path('a'), 'old');
  await writeFileAtomically(path('a'), async (file) => {
    await file.write('ne');
    expect(await readFile(path('a'), 'utf8')).toBe('old');
    expect(await temporaries()).toHaveLength(1);
    await file.write('w');
  });
  expect(await readFile(path('a'), 'utf8')).toBe('new');
  expect(await temporaries()).toEqual([]);
});

test('a failure leaves the old file, removes the temporary one and passes the error on', async () => {
  await writeFile(path('b'), 'old');
  const failure = new TypeError('mine');
  const writing = writeFileAtomically(path('b'), async (file) => {
    await file.write('half');
    throw failure;
  });
  await expect(writing).rejects.toBe(failure);
  expect(await readFile(path('b'), 'utf8')).toBe('old');
  expect(await temporaries()).toEqual([]);
});

test('two writers at once: the file is one of both, whole', async () => {
  const write = (text: string) => writeFileAtomically(path('c'), async (file) => void (await file.write(text)));
  await Promise.all([write('x'.repeat(1e5)), write('y'.repeat(1e5))]);
  expect(await readFile(path('c'), 'utf8')).toMatch(/^(x{100000}|y{100000})$/);
  expect(await temporaries()).toEqual([]);
});

test('a symbolic link keeps pointing at its file', async () => {
  await writeFile(path('target'), 'old');
  await symlink(path('target'), path('link'));
  await writeFileAtomically(path('link'), async (file) => void (await file.write('new')));
  expect((await lstat(path('link'))).isSymbolicLink()).toBe(true);
  expect(await readFile(path('target'), 'utf8')).toBe('new');
});

test('a folder or a missing folder is refused in words', async () => {
  await mkdir(path('folder'));
  const write = (name: string) => writeFileAtomically(path(name), async () => undefined);
  await expect(write('folder')).rejects.toMatchObject({
    code: 'ERR_FILE',
    message: expect.stringMatching(/cannot write .*folder: it exists and is not a regular file/),
  });
  await expect(write('no/x')).rejects.toMatchObject({
    code: 'ERR_FILE',
    message: expect.stringMatching(/cannot write .*x: there is no folder .*no$/),
  });
  await expect(openForReading(path('folder'))).rejects.toThrow(/it is not a regular file/);
});

test.each([
  ['ENOSPC', 'no space is left on the disk'],
  ['EACCES', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
])('%s while writing is an ERR_FILE that says so', async (code, reason) => {
  const failure = Object.assign(new Error(`${code}: raw text`), { code, syscall: 'write' });
  const writing = writeFileAtomically(path('full'), async () => {
    throw failure;
  });
  await expect(writing).rejects.toMatchObject({
    code: 'ERR_FILE',
    cause: failure,
    message: `cannot write ${path('full')}: ${reason}`,
  });
  expect(await readdir(path())).not.toContain('full');
});

test('errors that are not of the file system are handed back', () => {
  const ours = new CudnnGruError('ERR_DATA', 'x');
  expect(fileError(ours, 'read', 'f')).toBe(ours);
  expect(fileError('text', 'read', 'f')).toBe('text');
});
