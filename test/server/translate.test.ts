import { saveModel, tasks } from 'cudnn-gru';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { post, serve } from './run_server.js';

const inFolder = temporaryFolder();
const texts = ['a b c', 'c', 'b b a c a', 'c a'];
let model: tasks.EncoderDecoder;
beforeAll(async () => {
  const pairs = texts.map((text) => [text, text.split(' ').reverse().join(' ')] as const);
  ({ model } = await tasks.trainTranslator({ pairs, embeddingSize: 8, hiddenSize: 12, epochs: 3 }));
  await saveModel(inFolder('reverse.safetensors'), model);
});

describe('/translate', () => {
  it('gives what translate finds, for many at once', async () => {
    const { url } = await serve([inFolder('reverse.safetensors')]);
    for (const options of [{}, { width: 6, nBest: 3, maxLength: 7, lengthPenalty: 0.6 }]) {
      const expected = (await tasks.translate(model, texts, options)).map((answers) =>
        answers.map(({ text, logProbability, score }) => ({ text, logProbability, score })),
      );
      const all = await Promise.all(Array.from({ length: 5 }, () => post(`${url}/translate`, { texts, ...options })));
      for (const answer of all) {
        expect(answer).toMatchObject({ status: 200, json: { model: 'reverse', results: expected } });
      }
    }
  });

  it('its logits for known targets, by the Open Inference Protocol', async () => {
    const { url } = await serve([inFolder('reverse.safetensors')]);
    const tensor = (name: string, data: number[][]) => ({
      name,
      shape: [data.length, data[0]?.length],
      datatype: 'INT32',
      data,
    });
    const [source, target] = [[[4, 5, 6]], [[1, 6, 5, 4, 4]]];
    const body = { inputs: [tensor('source', source), tensor('target', target)] };
    const { status, json } = await post(`${url}/v2/models/reverse/infer`, body);
    const [{ shape }] = (json as { outputs: [{ shape: number[] }] }).outputs;
    expect([status, shape]).toEqual([200, [1, 5, model.targetEmbedding.vocabularySize]]);
  });

  it('names what is wrong', async () => {
    const { url } = await serve([inFolder('reverse.safetensors'), '--max-steps', '20']);
    const cases: [object, RegExp][] = [
      [{}, /body must have required property 'texts'/],
      [{ texts: [] }, /body\/texts must NOT have fewer than 1 items/],
      [{ texts: ['a', 'a '.repeat(30)] }, /texts\[1\]: expected at most 20 characters/],
      [{ texts: ['a'], width: 0 }, /body\/width must be >= 1/],
      [{ texts: ['a'], width: 2, nBest: 3 }, /nBest/],
    ];
    for (const [body, message] of cases) {
      expect(await post(`${url}/translate`, body)).toMatchObject({
        status: 400,
        json: { error: expect.stringMatching(message) },
      });
    }
  });
});
