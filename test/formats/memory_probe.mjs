// node --expose-gc memory_probe.mjs read FUNCTION SMALL FILE: calls a function of dist/index.js on a small file and then on another one;
// node --expose-gc memory_probe.mjs write FUNCTION MODEL FILE: loads a model and writes it by a function of dist/index.js, or an array of as many
// elements. Prints as JSON the memory that reading or writing took at most, in bytes (on Linux), its computing time in milliseconds, and its error.
import { readFileSync, writeFileSync } from 'node:fs';

const library = await import('../../dist/index.js');

const [mode, name, first, file] = process.argv.slice(2);
const cpuMilliseconds = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;
const arrayOf = (model) => {
  const count = model.parameters().reduce((sum, { size }) => sum + size, 0);
  return { shape: [count], data: Float32Array.from({ length: count }, (_, i) => i % 1000) };
};
const writers = {
  saveModel: (path, model) => library.saveModel(path, model),
  exportOnnx: (path, model) => library.exportOnnx(path, model),
  exportPytorch: (path, model) => library.exportPytorch(path, model),
  exportKeras: (path, model) => library.exportKeras(path, model),
  writeNpy: (path, model) => library.writeNpy(path, arrayOf(model)),
  writeNpz: (path, model) => library.writeNpz(path, { a: arrayOf(model) }, { compress: true }),
};

let run;
if (mode === 'read') {
  await library[name](first);
  run = () => library[name](file);
} else {
  const model = await library.loadModel(first);
  run = () => writers[name](file, model);
}
for (let i = 0; i < 3; i++) {
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 20));
}
// Linux counts from here on; getrusage would count the parent's memory as well.
const onLinux = process.platform === 'linux';
if (onLinux) writeFileSync('/proc/self/clear_refs', '5');
const most = () => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
const before = process.memoryUsage().rss;
const begin = cpuMilliseconds();
const result = await run().then(
  (value) => ({ value }),
  ({ code, message }) => ({ code: code ?? 'unknown', message }),
);
const milliseconds = cpuMilliseconds() - begin;
const bytes = onLinux ? most() - before : null;
console.log(JSON.stringify({ bytes, milliseconds, code: result.code, message: result.message }));
