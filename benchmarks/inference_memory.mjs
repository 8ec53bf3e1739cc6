// `node benchmarks/inference_memory.mjs --rows 10000000`: resident memory and event loop delay of a process that predicts a large .npy file.
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { npyHeader } from '../dist/formats/npy/npy.js';
import { GRU, Linear, noGrad, predictFile, Sequential, tensor } from '../dist/index.js';

const at = process.argv.indexOf('--rows');
const rows = at < 0 ? 10_000_000 : Number(process.argv[at + 1]);
const [inputSize, hiddenSize, time] = [16, 64, 2];
const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-bench-'));
const [input, output] = [join(folder, 'x.npy'), join(folder, 'y.npy')];
try {
  const file = await open(input, 'w');
  await file.write(npyHeader('float32', [rows, time, inputSize]));
  const chunk = Float32Array.from({ length: 1024 * time * inputSize }, () => 2 * Math.random() - 1);
  for (let row = 0; row < rows; row += 1024) {
    await file.write(new Uint8Array(chunk.buffer, 0, 4 * Math.min(1024, rows - row) * time * inputSize));
  }
  await file.close();
  const model = new Sequential(
    new GRU({ inputSize, hiddenSize }),
    new Linear({ inputSize: hiddenSize, outputSize: 1 }),
  ).eval();
  const before = process.resourceUsage().maxRSS / 1024;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  // For comparison: two seconds in which JavaScript does no more than wait for the device.
  delay.enable();
  const x = tensor(chunk.subarray(0, 512 * time * inputSize), [512, time, inputSize]);
  for (const end = performance.now() + 2000; performance.now() < end; ) {
    const y = noGrad(() => model.forward(x));
    await y.data();
    y.dispose();
  }
  delay.disable();
  const bareDelayP99 = Number((delay.percentile(99) / 1e6).toFixed(1));
  delay.reset();
  delay.enable();
  const start = performance.now();
  const result = await predictFile(model, { input, output });
  const seconds = (performance.now() - start) / 1000;
  delay.disable();
  const found = {
    rows: result.rows,
    batchSize: result.batchSize,
    rowsPerSecond: Math.round(rows / seconds),
    residentMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    residentMiBBefore: Math.round(before),
    bareDelayP99,
    delayP99: Number((delay.percentile(99) / 1e6).toFixed(1)),
  };
  console.log(JSON.stringify(found));
} finally {
  rmSync(folder, { recursive: true });
}
