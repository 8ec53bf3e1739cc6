import { checkString, wrongKind } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { GRU, GRUCell, Module } from '../../layers/index.js';
import { writeSafetensors } from '../safetensors.js';

/**
 * Writes a model's parameters as a safetensors file that PyTorch loads: the names, shapes and gate order are PyTorch's.
 *
 *     model.load_state_dict(safetensors.torch.load_file('model.safetensors'), strict=True)
 *
 * @throws TypeError; CudnnGruError `ERR_FILE`; `ERR_UNSUPPORTED` for a 'resetBefore' GRU, which PyTorch has none of, and a quantized model
 */
export async function exportPytorch(path: string, model: Module): Promise<void> {
  checkString(path, 'path');
  if (!(model instanceof Module)) throw wrongKind('model', 'a Module', model);
  checkModule(model, 'the model');
  await writeSafetensors(path, await model.stateDict(), { format: 'pt' });
}

function checkModule(module: Module, name: string): void {
  if (module.quantization) {
    throw new CudnnGruError('ERR_UNSUPPORTED', `${name} is quantized to ${module.quantization}: export the original`);
  }
  if ((module instanceof GRU || module instanceof GRUCell) && module.variant === 'resetBefore') {
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      `${name} is a GRU of the variant 'resetBefore', which PyTorch does not have`,
    );
  }
  for (const [child, inner] of module.children()) checkModule(inner, child);
}
