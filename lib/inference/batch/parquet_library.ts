import { CudnnGruError } from '../../errors.js';

/**
 * Imports optional peers: whoever has no Parquet files does not install them.
 *
 * @throws CudnnGruError `ERR_UNSUPPORTED` with the command that installs what is missing
 */
async function imported<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      'Parquet files need packages that are not installed: npm install hyparquet hyparquet-compressors hyparquet-writer',
    );
  }
}

export function parquetReader() {
  return imported(async () => {
    const [hyparquet, { compressors }] = await Promise.all([import('hyparquet'), import('hyparquet-compressors')]);
    return { ...hyparquet, compressors };
  });
}

export function parquetWriter() {
  return imported(() => import('hyparquet-writer'));
}
