import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { saveModel } from 'cudnn-gru';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { numbers, predicted, serve, smallModel } from './run_server.js';

const script = fileURLToPath(new URL('triton_client.py', import.meta.url));
const python = process.env.CUDNN_GRU_TEST_PYTHON ?? 'python3';
const inFolder = temporaryFolder();

it("Triton's Python client works unchanged", async (ctx) => {
  if (spawnSync(python, ['-c', 'import tritonclient.http']).status !== 0) {
    ctx.skip(`${python} has no tritonclient[http] (CUDNN_GRU_TEST_PYTHON names another Python)`);
  }
  const model = smallModel(1);
  await saveModel(inFolder('small.safetensors'), model);
  const { url } = await serve([inFolder('small.safetensors')]);
  const x = numbers(60);
  const client = spawn(python, [script, new URL(url).host, 'small'], { stdio: ['pipe', 'pipe', 'pipe'] });
  client.stdin.end(JSON.stringify(Array.from(x)));
  const [stdout, stderr] = await Promise.all([text(client.stdout), text(client.stderr)]);
  expect(stderr).toBe('');
  const seen = JSON.parse(stdout);

  const flat = Array.from(predicted(model, x, [4, 5, 3]));
  const rows = [0, 1, 2, 3].map((b) => [0, 1, 2, 3, 4].map((t) => flat.slice(10 * b + 2 * t, 10 * b + 2 * t + 2)));
  for (const way of ['binary', 'json', 'binary_in_json_out', 'json_in_binary_out'])
    expect(seen[way].output).toEqual(rows);
  expect(seen.together).toEqual(Array.from({ length: 40 }, (_, i) => rows[i % 4]));
  expect(seen).toMatchObject({ live: true, ready: true, model_ready: true, other_ready: false, named: 'seven' });
  expect(seen.metadata).toMatchObject({ inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, -1, 3] }] });
  expect(seen.config).toMatchObject({ max_batch_size: 32, input: [{ data_type: 'TYPE_FP32', dims: [-1, 3] }] });
  expect(seen.index).toEqual([{ name: 'small', version: '1', state: 'READY', reason: '' }]);
  expect(seen.version).toEqual(['2']);
  expect(seen.errors.model).toEqual({ status: '404', message: expect.stringContaining('there is no model "other"') });
  expect(seen.errors.shape).toEqual({ status: '400', message: expect.stringContaining('inputs[0].shape') });
  expect(seen.errors.compressed).toEqual({ status: '415', message: expect.stringContaining('Content-Encoding') });
});
