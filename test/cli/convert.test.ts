import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { GRU, loadModel, type OnnxModel, readStateDict, saveModel, tasks, zeros } from '../../lib/index.js';
import { cli, inFolder } from './run_cli.js';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

describe('import', () => {
  it('turns a PyTorch state_dict into safetensors', async () => {
    const words = ['import', fixture('pytorch/checkpoint.pt'), '--key', 'model', '--out', 'state.safetensors'];
    const { code, stdout, stderr } = await cli(words);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^6 tensors and no architecture.*state.safetensors\n$/);
    const original = await readStateDict(fixture('pytorch/checkpoint.pt'), { key: 'model' });
    const written = await readStateDict(inFolder('state.safetensors'));
    for (const [name, value] of Object.entries(original)) expect(written[name]).toEqual(value);
  });

  it('turns a Keras model into one of ours, which goes back to Keras', async () => {
    const words = ['import', fixture('peers/keras_stacked_dropout_reset_after.keras'), '--out', 'keras.safetensors'];
    expect(await cli(words)).toEqual({
      code: 0,
      stdout: '',
      stderr: 'note: gru_1: recurrent_dropout=0.2 is left out in training\nmodel: keras.safetensors\n',
    });
    expect((await loadModel(inFolder('keras.safetensors'))).architecture().type).toBe('KerasModel');
    expect(await cli(['export', 'keras.safetensors', '--to', 'keras'])).toMatchObject({ code: 0 });
    const weights = ['import', 'keras.weights.h5', '--config', words[1] as string, '--out', 'back.safetensors'];
    expect(await cli(weights)).toMatchObject({ code: 0 });
    const [there, back] = [
      await readStateDict(inFolder('keras.safetensors')),
      await readStateDict(inFolder('back.safetensors')),
    ];
    expect(back).toEqual(there);
  });

  it('fails with one line, and leaves no file', async () => {
    const cases: [string[], RegExp, number][] = [
      [['import', fixture('peers/torch_malicious.pt'), '--out', 'none.safetensors'], /posix.system/, 1],
      [['import', 'none.pt', '--out', 'none.safetensors'], /there is no such file/, 1],
      [['import', 'model.xyz', '--out', 'none.safetensors'], /told by the extension/, 1],
      [['import', 'model.pt'], /--out is missing/, 2],
    ];
    for (const [words, reason, code] of cases) {
      const finished = await cli(words);
      expect(finished.stderr).toMatch(reason);
      expect(finished.stderr.trim().split('\n')).toHaveLength(1);
      expect(finished.code).toBe(code);
    }
    await expect(readStateDict(inFolder('none.safetensors'))).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});

describe('export', () => {
  it('writes a state_dict for PyTorch', async () => {
    const gru = new GRU({ inputSize: 2, hiddenSize: 3 });
    await saveModel(inFolder('gru.safetensors'), gru);
    const { code, stderr } = await cli(['export', 'gru.safetensors', '--to', 'pytorch']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'pytorch: gru.pytorch.safetensors\n' });
    expect(await readStateDict(inFolder('gru.pytorch.safetensors'))).toEqual(await gru.stateDict());
  });

  it('writes ONNX, also of the models of tasks, and imports it again', async () => {
    await saveModel(inFolder('forecaster.safetensors'), new tasks.Forecaster({ inputSize: 2, horizon: 3 }));
    expect(await cli(['export', 'forecaster.safetensors', '--to', 'onnx'])).toMatchObject({
      code: 0,
      stderr: 'onnx: forecaster.onnx\n',
    });
    expect(await cli(['import', 'forecaster.onnx', '--out', 'again.safetensors'])).toMatchObject({ code: 0 });
    const again = await loadModel<OnnxModel>(inFolder('again.safetensors'));
    expect(again.forward(zeros([4, 6, 2])).shape).toEqual([4, 3]);
  });

  it('refuses what is no model, and frameworks that it does not know', async () => {
    copyFileSync(fixture('peers/torch_gru_2l_bi.safetensors'), inFolder('plain.safetensors'));
    expect(await cli(['export', 'plain.safetensors', '--to', 'pytorch'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/not a model file/),
    });
    expect(await cli(['export', 'gru.safetensors', '--to', 'caffe'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--to: expected one of .*"pytorch"/),
    });
  });
});
