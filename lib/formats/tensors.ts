import { checkOptions, wrongKind } from '../arguments.js';
import { upload } from '../ops/result.js';
import { type DeviceName, deviceOf } from '../tensor/device.js';
import { Tensor } from '../tensor/tensor.js';
import { openSafetensors, writeSafetensors } from './safetensors.js';

/**
 * Reads every tensor of a safetensors file: floating-point types become float32, integers int32.
 *
 * @throws CudnnGruError `ERR_FILE`, `ERR_FORMAT`, `ERR_UNSUPPORTED`, `ERR_OUT_OF_MEMORY`
 */
export async function loadSafetensors(
  path: string,
  options: { device?: DeviceName | 'auto' } = {},
): Promise<Record<string, Tensor>> {
  checkOptions(options, 'options', ['device']);
  const device = deviceOf(options.device);
  const file = await openSafetensors(path);
  try {
    const tensors: Record<string, Tensor> = Object.create(null);
    for (const [name, { shape }] of file.entries) tensors[name] = upload(await file.read(name), shape, device);
    return tensors;
  } finally {
    await file.close();
  }
}

/**
 * Writes tensors to a safetensors file, whole or not at all.
 *
 * @param metadata strings by name
 * @throws TypeError; CudnnGruError `ERR_FILE`
 */
export async function saveSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (typeof tensors !== 'object' || tensors === null)
    throw wrongKind('tensors', 'an object of tensors by name', tensors);
  if (typeof metadata !== 'object' || metadata === null) throw wrongKind('metadata', 'an object of strings', metadata);
  const entries = Object.entries(tensors).map(async ([name, value]) => {
    if (!(value instanceof Tensor)) throw wrongKind(`tensors[${JSON.stringify(name)}]`, 'a Tensor', value);
    return [name, { shape: value.shape, data: await value.data() }] as const;
  });
  await writeSafetensors(path, Object.fromEntries(await Promise.all(entries)), metadata);
}
