import { checkString, quote } from '../arguments.js';
import { CudnnGruError } from '../errors.js';

/** Which framework's kind of file; the parser of the kind then checks the contents. */
export type FileKind = 'safetensors' | 'pytorch' | 'onnx' | 'keras' | 'numpy';

const extensions: Readonly<Record<string, FileKind>> = {
  '.safetensors': 'safetensors',
  '.pt': 'pytorch',
  '.pth': 'pytorch',
  '.ckpt': 'pytorch',
  '.bin': 'pytorch',
  '.onnx': 'onnx',
  '.keras': 'keras',
  '.h5': 'keras',
  '.hdf5': 'keras',
  '.npz': 'numpy',
  '.npy': 'numpy',
};

/** By the name's extension. @throws TypeError; CudnnGruError `ERR_UNSUPPORTED` for one that is not known */
export function fileKind(path: string): FileKind {
  const name = checkString(path, 'path').toLowerCase();
  const extension = Object.keys(extensions).find((known) => name.endsWith(known));
  if (extension === undefined) {
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      `${quote(path)}: the format is told by the extension, one of ${Object.keys(extensions).join(', ')}`,
    );
  }
  return extensions[extension] as FileKind;
}
