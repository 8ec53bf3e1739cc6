import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../lib/formats/safetensors.js';
import { Adam, Linear } from '../../lib/index.js';
import { readCheckpoint, type TrainingState, writeCheckpoint } from '../../lib/training/checkpoint.js';
import { temporaryFolder } from '../formats/temporary_folder.js';

const path = temporaryFolder();

const state: TrainingState = {
  step: 12,
  position: { epoch: 3, batch: 0, order: 'a' },
  generator: { seed: 1, offset: 40 },
  history: [
    { epoch: 1, step: 6, trainLoss: 0.5, validationLoss: null, learningRate: 0.1, seconds: 1.5 },
    { epoch: 2, step: 12, trainLoss: Number.NaN, validationLoss: 0.25, learningRate: 0.05, seconds: 3 },
  ],
  bestEpoch: 2,
  bestLoss: 0.25,
  waited: 0,
  examples: 8,
  seconds: 3,
  choices: ['a call\tstandard packed'],
  plateau: { best: null, waited: 1, factor: 0.5 },
};

describe('checkpoint files', () => {
  async function roundTrip(written: TrainingState): Promise<TrainingState> {
    const model = new Linear({ inputSize: 1, outputSize: 1 });
    const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
    await writeCheckpoint(path('checkpoint.safetensors'), model, optimizer, written, {});
    return (await readCheckpoint(path('checkpoint.safetensors'), 2)).state;
  }

  it('give the state of the training back', async () => {
    expect(await roundTrip(state)).toEqual(state);
  });

  it('hold the history of a very long training', async () => {
    const history = Array.from({ length: 200_000 }, (_, i) => ({
      epoch: i + 1,
      step: 20 * (i + 1),
      trainLoss: 1 / (i + 3),
      validationLoss: 1 / (i + 7),
      learningRate: 0.001,
      seconds: i / 16,
    }));
    const read = await roundTrip({ ...state, history });
    expect(read.history).toHaveLength(200_000);
    expect(read.history.at(-1)).toEqual(history.at(-1));
  });

  const metadataOf = (changes: Record<string, unknown>) => {
    const columns = Object.fromEntries(Object.keys(state.history[0] ?? {}).map((name) => [name, []]));
    return { state: JSON.stringify({ ...state, history: columns, ...changes }), optimizer: '[]' };
  };

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no count of steps', { step: undefined }, /'step' is damaged/],
    ['text for a number', { examples: '8' }, /'examples' is damaged/],
    ['no position', { position: null }, /'position' is damaged/],
    ['no generator', { generator: 7 }, /'generator' is damaged/],
    ['choices that are no list', { choices: 'standard' }, /'choices' is damaged/],
    ['choices that are no texts', { choices: [[]] }, /'choices' is damaged/],
    ['no history', { history: null }, /'history\.step' is damaged/],
    ['a best loss that is a text', { bestLoss: '0.25' }, /'bestLoss' is damaged/],
    ['an empty plateau', { plateau: {} }, /'plateau' is damaged/],
  ])('%s: ERR_FORMAT names the part', async (_, changes, message) => {
    await writeSafetensors(path('damaged'), {}, { 'cudnn-gru-checkpoint': '2', ...metadataOf(changes) });
    await expect(readCheckpoint(path('damaged'), 0)).rejects.toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringMatching(message),
    });
    await expect(readCheckpoint(path('damaged'), 0)).rejects.toThrow(path('damaged'));
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a state of very many values', { state: `[${'[],'.repeat(400_000)}0]` }, /'state' holds too many values/],
    ['deep settings', { optimizer: '['.repeat(1000) }, /'optimizer' nests more than 200 brackets/],
    ['no settings', { optimizer: undefined as unknown as string }, /'optimizer' is missing/],
    ['what is no JSON', { state: '{' }, /JSON/],
    ['nothing', { state: 'null' }, /'state' is damaged/],
    ['an older layout', { 'cudnn-gru-checkpoint': '1' }, /not a training checkpoint of this version/],
  ])('%s: ERR_FORMAT, before it is parsed', async (_, changes, message) => {
    const metadata = { 'cudnn-gru-checkpoint': '2', ...metadataOf({}), ...changes };
    for (const [name, text] of Object.entries(metadata)) if (text === undefined) Reflect.deleteProperty(metadata, name);
    await writeSafetensors(path('hostile'), {}, metadata);
    await expect(readCheckpoint(path('hostile'), 0)).rejects.toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringMatching(message),
    });
  });
});
