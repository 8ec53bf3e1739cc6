import { describe, expect, it } from 'vitest';
import {
  Embedding,
  exportPytorch,
  GRU,
  LayerNorm,
  Linear,
  Module,
  noGrad,
  readNpz,
  readStateDict,
  type Tensor,
  writeNpy,
  writeNpz,
} from '../../dist/index.js';
import { expectClose, folder, inFolder, python, tensors } from './python.js';

interface Kind {
  numLayers?: number;
  bidirectional?: boolean;
  bias?: boolean;
}

/** The class of pytorch_peer.py. */
class Classifier extends Module {
  embedding = new Embedding({ vocabularySize: 11, embeddingSize: 5 });
  gru: GRU;
  norm: LayerNorm;
  head: Linear;
  constructor(options: Kind) {
    super();
    this.gru = new GRU({ inputSize: 5, hiddenSize: 6, ...options });
    const width = options.bidirectional ? 12 : 6;
    this.norm = new LayerNorm({ size: width });
    this.head = new Linear({ inputSize: width, outputSize: 3 });
  }
  forward(ids: Tensor): Tensor {
    return this.head.forward(this.norm.forward(this.gru.forward(this.embedding.forward(ids)).output));
  }
}

const kinds: Record<string, Kind> = {
  plain: {},
  stack: { numLayers: 3 },
  bidirectional: { numLayers: 2, bidirectional: true },
  no_bias: { numLayers: 2, bidirectional: true, bias: false },
};
const exact = ['pt', 'legacy.pth', 'parameters.pt', 'safetensors', 'flat.pt', 'float64.pt'];
const rounded = ['float16.pt', 'bfloat16.pt'];

expect(python('pytorch_peer.py', 'make', folder)).toEqual(Object.keys(kinds));

describe.each(Object.keys(kinds))('%s', (name) => {
  const read = async (extension: string): Promise<Classifier> => {
    const model = new Classifier(kinds[name] as Kind);
    const key = extension === 'checkpoint.ckpt' ? { key: 'model' } : {};
    await model.loadStateDict(await readStateDict(inFolder(`${name}.${extension}`), key));
    return model;
  };
  const check = async (extension: string, tolerance: number) => {
    const { ids, output } = await tensors(`${name}.expected.safetensors`);
    const model = await read(extension);
    await expectClose(
      noGrad(() => model.forward(ids as Tensor)),
      output,
      tolerance,
    );
  };

  it.each([...exact, 'checkpoint.ckpt'])('.%s', (extension) => check(extension, 1e-5));
  it.each(rounded)('.%s', (extension) => check(extension, 0.1));
  it('goes back by exportPytorch', async () => {
    const model = await read('pt');
    await exportPytorch(inFolder(`${name}.ours.safetensors`), model);
    expect(await readStateDict(inFolder(`${name}.ours.safetensors`))).toEqual(await model.stateDict());
  });
});

describe('what exportPytorch wrote', () => {
  it('load_state_dict(strict=True) takes; outputs and gradients are the same', async () => {
    expect(python('pytorch_peer.py', 'check', folder)).toEqual(Object.keys(kinds));
    for (const [name, options] of Object.entries(kinds)) {
      const { ids } = await tensors(`${name}.expected.safetensors`);
      const model = new Classifier(options);
      await model.loadStateDict(await readStateDict(inFolder(`${name}.ours.safetensors`)));
      const output = model.forward(ids as Tensor);
      await expectClose(output, (await tensors(`${name}.outputs.safetensors`)).output);
      output.mul(output).sum().backward();
      const gradients = await tensors(`${name}.gradients.safetensors`);
      for (const [parameter, { grad }] of model.namedParameters())
        await expectClose(grad as Tensor, gradients[parameter], 1e-3);
    }
  });
});

it('NumPy reads and writes our arrays', async () => {
  const arrays = {
    x: { shape: [2, 3, 4], data: Float32Array.from({ length: 24 }, (_, i) => i / 4) },
    'größe.1': { shape: [], data: Int32Array.of(-7) },
    empty: { shape: [0, 3], data: new Float32Array(0) },
  };
  await writeNpz(inFolder('stored.npz'), arrays);
  await writeNpz(inFolder('compressed.npz'), arrays, { compress: true });
  await writeNpy(inFolder('single.npy'), arrays.x);
  python('pytorch_peer.py', 'numpy', folder);
  for (const name of ['stored', 'compressed']) expect(await readNpz(inFolder(`${name}.back.npz`))).toEqual(arrays);
});
