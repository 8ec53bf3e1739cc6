import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Generator, GRU, Linear, Sequential, saveModel } from 'cudnn-gru';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { inferenceRequest, numbers, patient, post, predicted, serve, smallModel } from './run_server.js';

const inFolder = temporaryFolder();
const model = smallModel(1);
// One request of 1 × 400 × 3 takes some tens of milliseconds.
const slow = new Sequential(
  new GRU({ inputSize: 3, hiddenSize: 512, numLayers: 2, generator: new Generator(2) }),
  new Linear({ inputSize: 512, outputSize: 2, generator: new Generator(2) }),
).eval();
beforeAll(async () => {
  await saveModel(inFolder('small.safetensors'), model);
  await saveModel(inFolder('slow.safetensors'), slow);
});

const slowShape = [1, 400, 3];

describe('a full queue', () => {
  it('is 503 with Retry-After; what was taken is answered rightly', async () => {
    const { url } = await serve([inFolder('slow.safetensors'), '--max-queue', '3', '--max-batch', '1']);
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const x = numbers(1200, i);
        return { x, ...(await post(`${url}/v2/models/slow/infer`, inferenceRequest(x, slowShape))) };
      }),
    );
    const full = answers.filter(({ status }) => status === 503);
    const good = answers.filter(({ status }) => status === 200);
    expect(full.length + good.length).toBe(30);
    expect(full.length).toBeGreaterThan(0);
    // As many as may wait.
    expect(good.length).toBeGreaterThanOrEqual(3);
    for (const { headers, json } of full) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(json).toMatchObject({ code: 'ERR_BUSY' });
    }
    for (const { x, json } of good) {
      expect(json).toMatchObject({ outputs: [{ data: Array.from(predicted(slow, x, slowShape)) }] });
    }
  });

  it('gives up requests whose clients have gone', async () => {
    const { url } = await serve([inFolder('slow.safetensors'), '--max-batch', '1']);
    const infer = `${url}/v2/models/slow/infer`;
    const body = JSON.stringify(inferenceRequest(numbers(1200), slowShape));
    const aborted = Array.from({ length: 40 }, async () => {
      const controller = new AbortController();
      const answer = fetch(infer, { method: 'POST', body, signal: controller.signal });
      await sleep(100);
      controller.abort();
      return answer.then((response) => response.text());
    });
    const results = await Promise.allSettled(aborted);
    expect(results.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(20);
    expect((await post(infer, body)).status).toBe(200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    // Far fewer were computed than were sent, besides the one at the start and the one at the end.
    const computed = Number(/cudnn_gru_batch_rows_count\{model="slow"\} (\d+)/.exec(metrics)?.[1]);
    expect(computed).toBeLessThan(30);
    expect(metrics).toMatch(/route="POST \/v2\/models\/:name\/infer",status="499"/);
  });

  it('is left after the time for an answer, with 504', async () => {
    const seconds = 2;
    const one = ['--max-batch', '1', '--max-queue', '4000', '--timeout', String(seconds)];
    const { url } = await serve([inFolder('slow.safetensors'), ...one]);
    const body = JSON.stringify(inferenceRequest(numbers(1200), slowShape));
    const infer = () => post(`${url}/v2/models/slow/infer`, body);
    let quickest = Number.POSITIVE_INFINITY; // ms
    for (let i = 0; i < 4; i++) {
      const since = performance.now();
      expect((await infer()).status).toBe(200);
      quickest = Math.min(quickest, performance.now() - since);
    }
    // Several times as many as can be answered in time.
    const count = Math.min(2000, Math.ceil((4000 * seconds) / quickest));
    const codes = (await Promise.all(Array.from({ length: count }, infer))).map(({ status }) => status);
    expect(codes).toContain(504);
    // 408: where so many are sent at once, some arrive late.
    for (const code of codes) expect([200, 408, 504]).toContain(code);
    await expect.poll(infer, patient).toMatchObject({ status: 200 });
  });
});

describe('sizes and times', () => {
  it('a body beyond --max-body is 413, whether it says its length or not', async () => {
    const { url } = await serve([inFolder('small.safetensors'), '--max-body', '1000']);
    const infer = `${url}/v2/models/small/infer`;
    const large = JSON.stringify(inferenceRequest(numbers(300), [10, 10, 3]));
    expect((await post(infer, large)).status).toBe(413);
    const chunked = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(infer, { method: 'POST' }, (response) => resolve(response.statusCode));
      sent.on('error', reject);
      sent.write(large.slice(0, 600));
      sent.end(large.slice(600));
    });
    expect(chunked).toBe(413);
    const x = numbers(6);
    expect((await post(infer, inferenceRequest(x, [1, 2, 3]))).status).toBe(200);
  });

  it('bodies beyond --max-pending together are 503, and none stays counted', async () => {
    const { url } = await serve([inFolder('small.safetensors'), '--max-body', '2000', '--max-pending', '3000']);
    const infer = new URL(`${url}/v2/models/small/infer`);
    const half = await connected(infer, `POST ${infer.pathname} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n{`);
    const body = JSON.stringify(inferenceRequest(numbers(60), [1, 20, 3]));
    expect(body.length).toBeGreaterThan(1000);
    const answered = (status: number) => expect.poll(() => post(infer.href, body), patient).toMatchObject({ status });
    await answered(503);
    expect(await post(infer.href, body)).toMatchObject({ status: 503, json: { code: 'ERR_BUSY' } });
    half.destroy();
    await answered(200);
    for (let i = 0; i < 5; i++) expect((await post(infer.href, body)).status).toBe(200);
  });

  it('a request that takes too long to arrive is cut off', async () => {
    const { url } = await serve([inFolder('small.safetensors'), '--timeout', '0.5']);
    const target = new URL(url);
    for (const start of [
      'POST /v2/models/small/infer HTTP/1.1\r\nHost: x\r\nContent-Le',
      `POST /forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    ]) {
      const since = performance.now();
      const socket = await connected(target, start);
      let answer = '';
      socket.on('data', (data) => {
        answer += data;
      });
      await new Promise((resolve) => socket.on('close', resolve));
      expect(answer).toMatch(/^HTTP\/1\.1 408/);
      expect(performance.now() - since).toBeLessThan(5000);
    }
  });

  it('what is no HTTP at all is answered and cut off', async () => {
    const { url } = await serve([inFolder('small.safetensors')]);
    const socket = await connected(new URL(url), '\x16\x03\x01\x02\x00 no request\r\n\r\n');
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    await new Promise((resolve) => socket.on('close', resolve));
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    expect((await fetch(`${url}/v2/health/live`)).status).toBe(200);
  });
});

function connected({ hostname, port }: URL, text: string) {
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  return new Promise<typeof socket>((resolve) => socket.on('connect', () => socket.write(text, () => resolve(socket))));
}

describe('who may ask', () => {
  it('with a token: nobody without it, but for health and the pages', async () => {
    await writeFile(inFolder('token.txt'), 'correct-horse\n');
    const { url } = await serve([inFolder('small.safetensors'), '--token-file', inFolder('token.txt')]);
    const status = async (path: string, authorization?: string) =>
      (await fetch(url + path, authorization === undefined ? {} : { headers: { authorization } })).status;
    for (const path of ['/v2', '/v2/models/small', '/metrics', '/v2/models/none', '/nothing']) {
      expect(await status(path)).toBe(401);
      expect(await status(path, 'Bearer wrong')).toBe(401);
      expect(await status(path, 'correct-horse')).toBe(401);
    }
    expect(await status('/v2', 'Bearer correct-horse')).toBe(200);
    for (const path of ['/', '/v2/health/live', '/v2/health/ready', '/docs/json']) expect(await status(path)).toBe(200);
    const body = inferenceRequest(numbers(6), [1, 2, 3]);
    expect((await post(`${url}/v2/models/small/infer`, body)).status).toBe(401);
    const headers = { authorization: 'Bearer correct-horse' };
    expect((await post(`${url}/v2/models/small/infer`, body, headers)).status).toBe(200);
  });

  it('pages of other sites are refused, this server’s own are not', async () => {
    const { url } = await serve([inFolder('small.safetensors')]);
    const status = async (origin: string) => (await fetch(`${url}/v2`, { headers: { origin } })).status;
    expect(await status('https://example.com')).toBe(403);
    expect(await status('null')).toBe(403);
    expect(await status(url)).toBe(200);
  });

  it('only this machine, unless told otherwise', async () => {
    const { url } = await serve([inFolder('small.safetensors')]);
    expect(new URL(url).hostname).toBe('127.0.0.1');
  });
});
