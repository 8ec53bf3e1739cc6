import { writeFile } from 'node:fs/promises';
import { Generator, GRU, noGrad, saveModel, tensor } from 'cudnn-gru';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { inferenceRequest, numbers, post, predicted, type ServerProcess, serve, smallModel } from './run_server.js';

const inFolder = temporaryFolder();
const model = smallModel(1);
const gru = new GRU({ inputSize: 2, hiddenSize: 4, bidirectional: true, timeMajor: true, generator: new Generator(3) });
let server: ServerProcess;

beforeAll(async () => {
  await saveModel(inFolder('small.safetensors'), model);
  await saveModel(inFolder('gru.safetensors'), gru.eval());
  server = await serve([inFolder('small.safetensors'), `states=${inFolder('gru.safetensors')}`, '--max-steps', '64'], {
    keep: true,
  });
});
afterAll(() => server.end('SIGKILL'));

const infer = () => `${server.url}/v2/models/small/infer`;
const get = async (path: string) => {
  const response = await fetch(server.url + path);
  return { status: response.status, json: JSON.parse((await response.text()) || 'null') };
};

describe('metadata', () => {
  it('server, health and model', async () => {
    expect(await get('/v2')).toMatchObject({ status: 200, json: { name: 'cudnn-gru' } });
    expect((await get('/v2/health/live')).status).toBe(200);
    expect((await get('/v2/health/ready')).status).toBe(200);
    expect((await get('/v2/models/small/ready')).status).toBe(200);
    expect((await get('/v2/models/small')).json).toEqual({
      name: 'small',
      versions: ['1'],
      platform: 'cudnn-gru',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, -1, 3] }],
      outputs: [{ name: 'output', datatype: 'FP32', shape: [-1, -1, 2] }],
    });
    expect((await get('/v2/models/states/versions/1')).json.outputs).toEqual([
      { name: 'output', datatype: 'FP32', shape: [-1, -1, 8] },
      { name: 'hidden', datatype: 'FP32', shape: [-1, 2, 4] },
    ]);
    expect((await get('/v2/models/small/config')).json).toMatchObject({
      max_batch_size: 32,
      input: [{ dims: [-1, 3] }],
    });
  });

  it('OpenAPI names every route, and its pages come from this server', async () => {
    const { json } = await get('/docs/json');
    expect(Object.keys(json.paths)).toEqual(
      expect.arrayContaining(['/v2/models/{name}/infer', '/forecast', '/metrics']),
    );
    const page = await (await fetch(`${server.url}/docs/`)).text();
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect((await fetch(`${server.url}/docs/static/swagger-ui-bundle.js`)).status).toBe(200);
  });
});

describe('inference', () => {
  const shape = [4, 5, 3];
  const x = numbers(60);

  it('gives the bits of the model in memory, for flat and for nested JSON', async () => {
    const expected = Array.from(predicted(model, x, shape));
    const flat = await post(infer(), inferenceRequest(x, shape, { id: 'first' }));
    expect(flat).toMatchObject({ status: 200, json: { id: 'first', model_name: 'small', model_version: '1' } });
    expect(flat.json).toMatchObject({ outputs: [{ name: 'output', shape: [4, 5, 2], data: expected }] });
    const rows = Array.from({ length: 4 }, (_, b) =>
      Array.from({ length: 5 }, (_, t) => Array.from(x.subarray(15 * b + 3 * t, 15 * b + 3 * t + 3))),
    );
    const nested = { inputs: [{ name: 'input', shape, datatype: 'FP32', data: rows }] };
    expect((await post(infer(), nested)).json).toMatchObject({ outputs: [{ data: expected }] });
  });

  it('requests that come together get their own rows', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const shape = [1 + (i % 3), 2 + (i % 2), 3];
        const x = numbers(
          shape.reduce((a, b) => a * b),
          i,
        );
        const { json } = await post(infer(), inferenceRequest(x, shape));
        return [json, predicted(model, x, shape)] as const;
      }),
    );
    for (const [json, expected] of answers) expect(json).toMatchObject({ outputs: [{ data: Array.from(expected) }] });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const sum = Number(/cudnn_gru_batch_rows_sum\{model="small"\} (\d+)/.exec(metrics)?.[1]);
    const count = Number(/cudnn_gru_batch_rows_count\{model="small"\} (\d+)/.exec(metrics)?.[1]);
    expect(sum / count).toBeGreaterThan(1);
  });

  it('a time-major model is batch-major to its clients, and its states have the batch first', async () => {
    const x = numbers(3 * 5 * 2);
    const { json } = await post(`${server.url}/v2/models/states/infer`, inferenceRequest(x, [3, 5, 2]));
    const { output, hidden } = noGrad(() => gru.forward(tensor(x, [3, 5, 2]).transpose(0, 1)));
    expect(json).toMatchObject({
      outputs: [
        { name: 'output', shape: [3, 5, 8], data: Array.from(output.transpose(0, 1).dataSync()) },
        { name: 'hidden', shape: [3, 2, 4], data: Array.from(hidden.transpose(0, 1).dataSync()) },
      ],
    });
  });

  it('numbers may come and go as bytes', async () => {
    const document = JSON.stringify({
      inputs: [{ name: 'input', shape, datatype: 'FP32', parameters: { binary_data_size: x.byteLength } }],
      outputs: [{ name: 'output', parameters: { binary_data: true } }],
    });
    const response = await fetch(infer(), {
      method: 'POST',
      headers: { 'inference-header-content-length': String(Buffer.byteLength(document)) },
      body: Buffer.concat([Buffer.from(document), Buffer.from(x.buffer)]),
    });
    const body = Buffer.from(await response.arrayBuffer());
    const header = Number(response.headers.get('inference-header-content-length'));
    const { outputs } = JSON.parse(body.toString('utf8', 0, header));
    expect(outputs).toMatchObject([{ name: 'output', shape: [4, 5, 2], parameters: { binary_data_size: 160 } }]);
    expect(new Float32Array(new Uint8Array(body.subarray(header)).buffer)).toEqual(predicted(model, x, shape));
  });
});

describe('what is wrong is answered with the field', () => {
  const input = { name: 'input', shape: [1, 2, 3], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6] };
  it.each<[string, unknown, number, RegExp]>([
    ['no JSON', '{"inputs":', 400, /not JSON/],
    ['no object', '[]', 400, /body must be object/],
    ['nothing', '', 400, /body must be object/],
    ['no inputs', {}, 400, /body must have required property 'inputs'/],
    ['text for a shape', { inputs: [{ ...input, shape: 'big' }] }, 400, /body\/inputs\/0\/shape must be array/],
    ['an unknown input', { inputs: [{ ...input, name: 'inptu' }] }, 400, /inputs\[0\]\.name: .*did you mean "input"/],
    ['an input twice', { inputs: [input, input] }, 400, /inputs\[1\]\.name: "input" is given twice/],
    ['another type', { inputs: [{ ...input, datatype: 'FP64' }] }, 400, /inputs\[0\]\.datatype: expected "FP32"/],
    [
      'another rank',
      { inputs: [{ ...input, shape: [2, 3] }] },
      400,
      /shape: expected \[batch, time, 3\], got \[2, 3\]/,
    ],
    ['other features', { inputs: [{ ...input, shape: [1, 3, 2] }] }, 400, /shape: expected \[batch, time, 3\]/],
    ['no rows', { inputs: [{ ...input, shape: [0, 2, 3], data: [] }] }, 400, /body\/inputs\/0\/shape\/0 must be >= 1/],
    [
      'a number too few',
      { inputs: [{ ...input, data: [1, 2, 3, 4, 5] }] },
      400,
      /inputs\[0\]\.data: expected 6 numbers/,
    ],
    [
      'text among numbers',
      { inputs: [{ ...input, data: [1, 2, 3, '4', 5, 6] }] },
      400,
      /inputs\[0\]\.data\[3\]: .*"4"/,
    ],
    ['null among numbers', { inputs: [{ ...input, data: [1, null, 3, 4, 5, 6] }] }, 400, /inputs\[0\]\.data\[1\]/],
    [
      'ragged rows',
      {
        inputs: [
          {
            ...input,
            data: [
              [
                [1, 2, 3],
                [4, 5],
              ],
            ],
          },
        ],
      },
      400,
      /inputs\[0\]\.data\[0\]\[1\]: .*3 items/,
    ],
    ['too large for float32', { inputs: [{ ...input, data: [1, 2, 3, 4, 5, 1e300] }] }, 400, /data\[5\]: .*finite/],
    ['an unknown output', { inputs: [input], outputs: [{ name: 'logits' }] }, 400, /outputs\[0\]\.name: .*"output"/],
    ['too many steps', { inputs: [{ ...input, shape: [5, 13, 3], data: [] }] }, 400, /at most 64 steps/],
    ['a shape beyond all numbers', { inputs: [{ ...input, shape: [9e15, 9e15, 3] }] }, 400, /at most 64 steps/],
    [
      'bytes that are not there',
      { inputs: [{ ...input, parameters: { binary_data_size: 24 } }] },
      400,
      /only 0 are there/,
    ],
    [
      'bytes that do not fit',
      { inputs: [{ ...input, parameters: { binary_data_size: -1 } }] },
      400,
      /24 bytes for shape/,
    ],
  ])('%s', async (_, body, status, message) => {
    const answer = await post(infer(), body);
    expect(answer).toMatchObject({ status, json: { error: expect.stringMatching(message) } });
  });

  it('a wrong header length', async () => {
    for (const length of ['0', '-1', '1e9', 'abc', '']) {
      const answer = await post(infer(), { inputs: [input] }, { 'inference-header-content-length': length });
      expect(answer).toMatchObject({
        status: 400,
        json: { error: expect.stringMatching(/^Inference-Header-Content/) },
      });
    }
  });

  it('models and addresses that are not there', async () => {
    const missing = await post(`${server.url}/v2/models/smal/infer`, { inputs: [input] });
    expect(missing).toMatchObject({ status: 404, json: { error: 'there is no model "smal" (did you mean "small"?)' } });
    expect((await get('/v2/models/small/versions/7')).status).toBe(404);
    expect((await get('/v2/models/..%2f..%2fetc%2fpasswd')).status).toBe(404);
    expect((await get('/v2/models/constructor')).status).toBe(404);
    expect((await get('/docs/static/..%2f..%2fpackage.json')).status).toBe(404);
    expect((await get('/nothing')).json).toMatchObject({ code: 'ERR_ROUTE' });
  });

  it('NaN in bytes', async () => {
    const document = JSON.stringify({
      inputs: [{ name: 'input', shape: [1, 1, 3], datatype: 'FP32', parameters: { binary_data_size: 12 } }],
    });
    const response = await fetch(infer(), {
      method: 'POST',
      headers: { 'inference-header-content-length': String(document.length) },
      body: Buffer.concat([Buffer.from(document), Buffer.from(Float32Array.of(1, Number.NaN, 2).buffer)]),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: expect.stringMatching(/inputs\[0\]\.data\[1\]: .*NaN/) });
  });
});

it('a file that cannot be served is refused at the start, with its reason', async () => {
  await writeFile(inFolder('no.safetensors'), 'no model');
  await expect(serve([inFolder('no.safetensors')])).rejects.toThrow(/ended with 1.*no\.safetensors/s);
  await expect(serve([inFolder('missing.safetensors')])).rejects.toThrow(/there is no such file/);
});
