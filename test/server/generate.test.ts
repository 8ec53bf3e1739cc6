import { saveModel, tasks } from 'cudnn-gru';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { post, serve, smallModel } from './run_server.js';

const inFolder = temporaryFolder();
let model: tasks.LanguageModel;
beforeAll(async () => {
  const text = 'the quick brown fox jumps over the lazy dog. '.repeat(20);
  ({ model } = await tasks.trainLanguageModel({
    text,
    hiddenSize: 16,
    embeddingSize: 8,
    streams: 4,
    steps: 12,
    epochs: 1,
  }));
  await saveModel(inFolder('text.safetensors'), model);
  await saveModel(inFolder('small.safetensors'), smallModel(1));
});

async function written(prompt: string, options: tasks.GenerateTextOptions): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of tasks.generateText(model, prompt, options)) pieces.push(piece);
  return pieces;
}

/** The events of an answer: name and data. */
async function events(url: string, body: object): Promise<[string, object][]> {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
  const response = await fetch(`${url}/generate`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const blocks = (await response.text()).split('\n\n').slice(0, -1);
  return blocks.map((block) => {
    const [, name = 'message', data] = /^(?:event: (\w+)\n)?data: (.*)$/.exec(block) as RegExpExecArray;
    return [name, JSON.parse(data as string)];
  });
}

describe('/generate', () => {
  it('gives what generateText writes, whole or piece by piece, for many at once', async () => {
    const { url } = await serve([inFolder('text.safetensors'), inFolder('small.safetensors')]);
    await Promise.all(
      Array.from({ length: 12 }, async (_, seed) => {
        const options = { length: 30, temperature: 1, topK: 8, seed };
        const pieces = await written('the quick', options);
        const body = { prompt: 'the quick', ...options };
        expect(await post(`${url}/generate`, body)).toMatchObject({
          status: 200,
          json: { model: 'text', text: pieces.join('') },
        });
        expect(await events(url, body)).toEqual([
          ...pieces.map((text) => ['message', { text }]),
          ['done', { model: 'text' }],
        ]);
      }),
    );
  });

  it('stops when its client leaves, and when its time is over', async () => {
    const server = await serve([inFolder('text.safetensors'), '--timeout', '1']);
    const body = JSON.stringify({ prompt: 'the', length: 100_000 });
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    const controller = new AbortController();
    const left = await fetch(`${server.url}/generate`, { method: 'POST', headers, body, signal: controller.signal });
    await left.body?.getReader().read();
    controller.abort();
    const all = await events(server.url, { prompt: 'the', length: 100_000 });
    expect(all.length).toBeGreaterThan(1);
    expect(all.at(-1)).toEqual(['error', { error: 'the request was not answered within 1 s', code: 'ERR_TIMEOUT' }]);
    // Nothing goes on: the server ends at once.
    expect(await server.end()).toBe(0);
  });

  it('names what is wrong before anything is sent', async () => {
    const { url } = await serve([inFolder('text.safetensors'), inFolder('small.safetensors'), '--max-steps', '20']);
    const cases: [object, RegExp][] = [
      [{}, /body must have required property 'prompt'/],
      [{ prompt: '' }, /body\/prompt must NOT have fewer than 1 characters/],
      [{ prompt: 'a', temperature: -1 }, /body\/temperature must be >= 0/],
      [{ prompt: 'a', length: 1.5 }, /body\/length must be integer/],
      [{ prompt: 'a', topp: 1 }, /body must NOT have additional properties/],
      [{ prompt: 'a'.repeat(21) }, /prompt: expected at most 20 characters/],
      [{ prompt: 'a', model: 'small' }, /"small" is not made to generate/],
    ];
    for (const [body, error] of cases) {
      for (const accept of ['application/json', 'text/event-stream']) {
        expect(await post(`${url}/generate`, body, { accept })).toMatchObject({
          status: 400,
          json: { error: expect.stringMatching(error) },
        });
      }
    }
  });
});
