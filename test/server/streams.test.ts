import { setTimeout as sleep } from 'node:timers/promises';
import { data, GRU, saveModel, tasks } from 'cudnn-gru';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { numbers, patient, predicted, serve, smallModel } from './run_server.js';
import { liveStream } from './web_socket.js';

const inFolder = temporaryFolder();
const { AnomalyDetector, scoreRows } = tasks;
const detector = new AnomalyDetector({ inputSize: 2 }).eval();
const threshold = 1;
const small = smallModel(1);
beforeAll(async () => {
  detector.preprocessing = {
    task: 'detect',
    inputs: ['level', 'other'],
    entity: null,
    scaler: data.fitStandardScaler(new Float64Array([1, 0, 0.5, 1, -0.5, -1]), 2).toJSON(),
    errorScale: [[0.5, 0.7]],
    warmUp: [],
    gate: 9,
    hold: 0,
    smoothing: 0,
    adaptation: 0,
    window: 8,
    threshold,
  } as never;
  await saveModel(inFolder('detector.safetensors'), detector);
  await saveModel(inFolder('small.safetensors'), small);
  await saveModel(inFolder('both.safetensors'), new GRU({ inputSize: 3, hiddenSize: 4, bidirectional: true }));
});

/** Rows of two numbers, and what `scoreRows` says of each. */
async function series(count: number, seed: number): Promise<{ rows: Float32Array[]; expected: object[] }> {
  const values = numbers(2 * count, seed);
  const rows = Array.from({ length: count }, (_, row) => values.slice(2 * row, 2 * row + 2));
  const tableRows = Int32Array.from(rows.keys());
  const scores = await scoreRows(detector, { entity: '', tableRows, values: Float64Array.from(values), labels: null });
  return { rows, expected: Array.from(scores, (score) => ({ score, alarm: score > threshold })) };
}

describe('live streams of a detector', () => {
  it('many at once give the scores of whole series, for bytes and for JSON', async () => {
    const { url } = await serve([inFolder('detector.safetensors')]);
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const { rows, expected } = await series(20, i);
        const { socket, ask } = await liveStream(url, 'detector');
        for (const [step, row] of rows.entries()) {
          expect(await ask(i % 2 ? row : { frame: Array.from(row) })).toEqual(expected[step]);
        }
        socket.close();
      }),
    );
    const metrics = async () => (await fetch(`${url}/metrics`)).text();
    await expect.poll(metrics, patient).toMatch(/^cudnn_gru_streams 0$/m);
  });

  it('answers in order what was sent without waiting, to a client that reads late', async () => {
    const { url } = await serve([inFolder('detector.safetensors')]);
    const { socket, next } = await liveStream(url, 'detector');
    const { rows, expected } = await series(2000, 1);
    socket.pause();
    for (const row of rows) socket.send(Buffer.from(row.buffer));
    await sleep(300);
    socket.resume();
    for (const each of expected) expect(JSON.parse((await next()) as string)).toEqual(each);
    socket.close();
  });

  it.each(['end', 'reset'])('%s begins anew, and what was sent before without waiting is answered', async (word) => {
    const { url } = await serve([inFolder('detector.safetensors')]);
    const { socket, next } = await liveStream(url, 'detector');
    const { rows, expected } = await series(10, 4);
    for (let round = 0; round < 3; round++) {
      for (const row of rows) socket.send(Buffer.from(row.buffer));
      socket.send(JSON.stringify({ [word]: true }));
    }
    for (let round = 0; round < 3; round++) {
      for (const each of [...expected, {}]) expect(JSON.parse((await next()) as string)).toEqual(each);
    }
    socket.close();
  });

  it('what is wrong is answered with the field, and the stream goes on', async () => {
    const { url } = await serve([inFolder('detector.safetensors'), '--max-body', '1000']);
    const { socket, ask, closed } = await liveStream(url, 'detector');
    const { rows, expected } = await series(3, 2);
    await ask(rows[0] as Float32Array);
    const cases: [object | Float32Array, RegExp][] = [
      [{ frame: [1] }, /frame: expected 2 numbers/],
      [{ frame: 'abc' }, /frame: expected an array of numbers/],
      [{ frame: [1, '2'] }, /frame\[1\]: expected a number/],
      [Float32Array.of(1, 2, 3, 4), /frame: expected 2 numbers/],
      [Float32Array.of(1, Number.NaN), /frame\[1\]: .*NaN/],
      [{ frmae: [1, 2] }, /unknown option "frmae" \(did you mean "frame"/],
      [{}, /message: expected frame, save, restore, reset or end/],
      [[1, 2], /message: expected an object/],
      [{ save: true }, /state of a detector cannot be saved/],
    ];
    for (const [message, error] of cases)
      expect(await ask(message)).toMatchObject({ error: expect.stringMatching(error) });
    expect(await ask(rows[1] as Float32Array)).toEqual(expected[1]);
    expect(await ask({ reset: true })).toEqual({});
    expect(await ask(rows[0] as Float32Array)).toEqual(expected[0]);
    socket.send(Buffer.alloc(2000));
    expect(await closed).toMatchObject({ code: 1009 });
  });

  it('models that have none, names that are not there, and too many are refused', async () => {
    const { url } = await serve([inFolder('detector.safetensors'), inFolder('both.safetensors'), '--max-streams', '1']);
    await expect(liveStream(url, 'none')).rejects.toThrow(/404/);
    expect((await fetch(`${url}/v2/models/detector/stream`)).status).toBe(404);
    const none = await liveStream(url, 'both');
    expect(await none.closed).toMatchObject({ code: 1008, reason: expect.stringMatching(/bidirectional/) });
    const first = await liveStream(url, 'detector');
    await expect(liveStream(url, 'detector')).rejects.toThrow(/503/);
    first.socket.close();
    await first.closed;
    const again = await vi.waitFor(() => liveStream(url, 'detector'), patient);
    again.socket.close();
  });

  it('a reload does not touch them; the end of the server closes them', async () => {
    const server = await serve([inFolder('detector.safetensors')]);
    const { ask, closed } = await liveStream(server.url, 'detector');
    const { rows, expected } = await series(2, 3);
    await ask(rows[0] as Float32Array);
    server.child.kill('SIGHUP');
    while (!(await (await fetch(`${server.url}/v2/models/detector`)).text()).includes('"2"')) await sleep(10);
    expect(await ask(rows[1] as Float32Array)).toEqual(expected[1]);
    const code = server.end();
    expect(await closed).toMatchObject({ code: 1001 });
    expect(await code).toBe(0);
  });
});

describe('live streams of numbers', () => {
  const steps = 20;
  const frameOf = (x: Float32Array, step: number) => x.slice(3 * step, 3 * step + 3);

  it('many at once give the bits of the whole sequences, as bytes and as JSON', async () => {
    const { url } = await serve([inFolder('small.safetensors')]);
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const x = numbers(3 * steps, i);
        const expected = predicted(small, x, [1, steps, 3]);
        const { socket, ask } = await liveStream(url, 'small');
        for (let step = 0; step < steps; step++) {
          const output = expected.slice(2 * step, 2 * step + 2);
          const frame = frameOf(x, step);
          if (i % 2) expect(await ask(frame)).toEqual(output);
          else expect(await ask({ frame: Array.from(frame) })).toEqual({ output: Array.from(output) });
        }
        socket.close();
      }),
    );
  });

  it('answers in order what was sent without waiting, to a client that reads late', async () => {
    const { url } = await serve([inFolder('small.safetensors')]);
    const { socket, next } = await liveStream(url, 'small');
    const x = numbers(3 * 5000);
    const expected = predicted(small, x, [1, 5000, 3]);
    socket.pause();
    for (let step = 0; step < 5000; step++) socket.send(Buffer.from(frameOf(x, step).buffer));
    await sleep(300);
    socket.resume();
    for (let step = 0; step < 5000; step++) expect(await next()).toEqual(expected.slice(2 * step, 2 * step + 2));
    socket.close();
  });

  it('a saved state goes on in another stream; reset begins anew', async () => {
    const { url } = await serve([inFolder('small.safetensors')]);
    const x = numbers(3 * steps, 1);
    const expected = predicted(small, x, [1, steps, 3]);
    const first = await liveStream(url, 'small');
    for (let step = 0; step < 10; step++) await first.ask(frameOf(x, step));
    const saved = await first.ask({ save: true });
    const second = await liveStream(url, 'small');
    expect(await second.ask({ restore: (saved as { state: string }).state })).toEqual({});
    for (let step = 10; step < steps; step++) {
      expect(await second.ask(frameOf(x, step))).toEqual(expected.slice(2 * step, 2 * step + 2));
    }
    expect(await first.ask({ reset: true })).toEqual({});
    expect(await first.ask(frameOf(x, 0))).toEqual(expected.slice(0, 2));
    expect(await first.ask({ restore: 'AAAA' })).toMatchObject({ error: expect.stringMatching(/restore: 3 bytes/) });
    expect(await first.ask({ restore: 'AAAAAA==' })).toMatchObject({
      error: expect.stringMatching(/state: expected 8/),
    });
    first.socket.close();
    second.socket.close();
  });
});
