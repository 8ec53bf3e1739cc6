import { hint, quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';

/**
 * The numbers of the columns that are read, in their order.
 *
 * @param wanted their names; undefined: all
 * @throws CudnnGruError `ERR_DATA` for a name that is not there
 */
export function wantedColumns(path: string, names: readonly string[], wanted: readonly string[] | undefined): number[] {
  if (wanted === undefined) return names.map((_, i) => i);
  return wanted.map((name) => {
    const found = names.indexOf(name);
    if (found >= 0) return found;
    throw new CudnnGruError('ERR_DATA', `${path} has no column ${quote(name)}${hint(name, names)}`);
  });
}
