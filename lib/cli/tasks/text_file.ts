import { readFile } from 'node:fs/promises';
import { CudnnGruError } from '../../errors.js';
import { fileError } from '../../formats/files.js';

/** A text file in UTF-8. @throws CudnnGruError `ERR_FILE`, `ERR_DATA` for one that is no text or empty */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => Promise.reject(fileError(error, 'read', path)));
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CudnnGruError('ERR_DATA', `${path} is no text in UTF-8`, { cause });
  }
  if (text.trim() === '') throw new CudnnGruError('ERR_DATA', `${path} has no text`);
  return text;
}

/** The lines of a text file that are not blank. @throws as `readTextFile` */
export async function readLines(path: string): Promise<string[]> {
  return (await readTextFile(path)).split(/\r?\n/).filter((line) => line.trim() !== '');
}
