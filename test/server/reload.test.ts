import { copyFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { saveModel } from 'cudnn-gru';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { inferenceRequest, numbers, post, predicted, serve, smallModel } from './run_server.js';

const inFolder = temporaryFolder();
const models = [smallModel(1), smallModel(2)] as const;
const shape = [2, 4, 3];
const x = numbers(24);
const body = inferenceRequest(x, shape);
const expected = models.map((model) => Array.from(predicted(model, x, shape)));

beforeEach(async () => {
  await saveModel(inFolder('first.safetensors'), models[0]);
  await saveModel(inFolder('second.safetensors'), models[1]);
  await copyFile(inFolder('first.safetensors'), inFolder('model.safetensors'));
});

interface Answer {
  model_version: string;
  outputs: [{ data: number[] }];
}

describe('reload', () => {
  it('by SIGHUP and by request, under load: every request is answered by one whole version', async () => {
    const { url, child } = await serve([inFolder('model.safetensors')]);
    let go = true;
    const answers: Answer[] = [];
    const clients = Array.from({ length: 8 }, async () => {
      while (go) {
        const { status, json } = await post(`${url}/v2/models/model/infer`, body);
        expect(status).toBe(200);
        answers.push(json);
      }
    });
    for (let version = 2; version <= 7; version++) {
      await saveModel(inFolder('model.safetensors'), models[(version + 1) % 2] as (typeof models)[0]);
      if (version % 2) child.kill('SIGHUP');
      else expect((await post(`${url}/v2/repository/models/model/load`, {})).status).toBe(200);
      while (answers.at(-1)?.model_version !== String(version)) await sleep(5);
    }
    go = false;
    await Promise.all(clients);
    expect(new Set(answers.map((answer) => answer.model_version))).toEqual(
      new Set(['1', '2', '3', '4', '5', '6', '7']),
    );
    for (const { model_version, outputs } of answers) {
      expect(outputs[0].data).toEqual(expected[(Number(model_version) + 1) % 2]);
    }
  });

  it('of a file that cannot be served keeps the old version, and tells the client no path', async () => {
    const { url, log } = await serve([inFolder('model.safetensors')]);
    await writeFile(inFolder('model.safetensors'), 'no model');
    const answer = await post(`${url}/v2/repository/models/model/load`, {});
    expect(answer).toMatchObject({ status: 500, json: { code: 'ERR_FORMAT' } });
    expect(JSON.stringify(answer.json)).not.toContain('safetensors');
    expect(log().some(({ msg, model }) => msg === 'model not loaded' && model === 'model')).toBe(true);
    const { json } = await post(`${url}/v2/models/model/infer`, body);
    expect(json).toMatchObject({ model_version: '1', outputs: [{ data: expected[0] }] });
  });

  it('takes no file from a request', async () => {
    const { url } = await serve([inFolder('model.safetensors')]);
    const load = (name: string, sent: unknown) => post(`${url}/v2/repository/models/${name}/load`, sent);
    expect((await load('second', {})).status).toBe(404);
    expect((await load('model', { parameters: { config: '{}', 'file:1/model': 'AAAA' } })).status).toBe(400);
    const { json } = await post(`${url}/v2/repository/index`, '');
    expect(json).toEqual([{ name: 'model', version: '1', state: 'READY', reason: '' }]);
  });
});

describe('the end', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s answers what has come, takes nothing more and ends with 0',
    async (signal) => {
      const server = await serve([inFolder('model.safetensors')]);
      const long = [64, 1000, 3];
      const sent = numbers(192_000);
      const answers = Array.from({ length: 6 }, () =>
        post(`${server.url}/v2/models/model/infer`, inferenceRequest(sent, long)),
      );
      // All have arrived when the first is answered.
      await Promise.race(answers);
      const code = server.end(signal);
      const data = Array.from(predicted(models[0], sent, long));
      for (const answer of await Promise.all(answers))
        expect(answer).toMatchObject({ status: 200, json: { outputs: [{ data }] } });
      const since = performance.now();
      expect(await code).toBe(0);
      // And not only when --drain-timeout, 30 s, cuts the connections that clients keep alive.
      expect(performance.now() - since).toBeLessThan(15_000);
      await expect(fetch(`${server.url}/v2/health/live`)).rejects.toThrow();
      expect(server.log().at(-1)).toMatchObject({ msg: 'closed' });
    },
  );

  it('does not wait for idle connections, and at most --drain-timeout for others', async () => {
    const server = await serve([inFolder('model.safetensors'), '--drain-timeout', '0.5']);
    const { hostname, port } = new URL(server.url);
    const { connect } = await import('node:net');
    for (const text of ['', 'POST /forecast HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{']) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await new Promise<void>((resolve) => socket.on('connect', () => socket.write(text || '\r\n', () => resolve())));
    }
    await sleep(100);
    const since = performance.now();
    expect(await server.end()).toBe(0);
    expect(performance.now() - since).toBeLessThan(5000);
  });
});
