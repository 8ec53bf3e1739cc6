import { hint, quote } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { fileError, openForReading } from '../formats/files.js';
import type { Table } from './csv.js';

/**
 * Columns of text from a JSON Lines file (UTF-8): an object in each line that is not empty, with a string, number or boolean in each of these
 * fields.
 *
 * @throws CudnnGruError `ERR_FILE`, `ERR_DATA` naming the line
 */
export async function readJsonLines(path: string, names: readonly string[]): Promise<Table> {
  const columns = new Map<string, string[]>(names.map((name) => [name, []]));
  const { file } = await openForReading(path);
  let number = 0;
  let rows = 0;
  try {
    for await (const line of file.readLines({ encoding: 'utf8' })) {
      number++;
      if (line.trim() === '') continue;
      const row = objectOf(line, `${path}, line ${number}`);
      for (const [name, values] of columns) values.push(cellOf(row, name, `${path}, line ${number}`));
      rows++;
    }
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    await file.close().catch(() => undefined);
  }
  if (rows === 0) throw new CudnnGruError('ERR_DATA', `${path} has no rows`);
  return { source: path, rows, firstRow: 1, columns };
}

function objectOf(line: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line.replace(/^\uFEFF/, ''));
  } catch {
    throw new CudnnGruError('ERR_DATA', `${where}: this is no JSON: ${quote(line)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new CudnnGruError('ERR_DATA', `${where}: expected an object, got ${quote(line)}`);
}

function cellOf(row: Record<string, unknown>, name: string, where: string): string {
  if (!Object.hasOwn(row, name)) {
    throw new CudnnGruError('ERR_DATA', `${where} has no field ${quote(name)}${hint(name, Object.keys(row))}`);
  }
  const value = row[name];
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new CudnnGruError(
    'ERR_DATA',
    `${where}, field ${quote(name)}: expected a text, got ${quote(JSON.stringify(value))}`,
  );
}
