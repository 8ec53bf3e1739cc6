// How much slower several threads are than one, under whatever conditions this process was started in:
//   node team_speed.mjs ENTRY THREADS WORKERS
// Each of the workers, worker threads with a device of their own, computes for a moment with one thread and then with THREADS, all
// at the same time, again and again. Prints JSON: for each kind of work the median of the slowdowns; and the share of a CPU that the idle process takes
// afterwards.
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const kRounds = 25;
const kMoment = 50; // ms

async function makeWork(entry) {
  const { Adam, GRU, Linear, losses, noGrad, ops, randn, scope, setThreads, synchronize, tensor } = await import(entry);
  const stream = new GRU({ inputSize: 64, hiddenSize: 192, timeMajor: true }).eval();
  const x = randn([50, 3, 64]);
  const gru = new GRU({ inputSize: 16, hiddenSize: 64 });
  const head = new Linear({ inputSize: 64, outputSize: 4 });
  const optimizer = new Adam([...gru.parameters(), ...head.parameters()], { clipNorm: 1 });
  const batch = randn([32, 40, 16]);
  const y = tensor(Int32Array.from({ length: 32 }, (_, row) => row % 4));
  const work = {
    // Few rows: the threads share the hidden units and meet at every step.
    inference: () => noGrad(() => scope(() => void stream.forward(x))),
    training: async () => {
      scope(() => losses.crossEntropy(head.forward(ops.lastStep(gru.forward(batch).output)), y).backward());
      await optimizer.step();
      optimizer.zeroGrad();
    },
  };
  return { work, setThreads, synchronize };
}

async function serve() {
  const { work, setThreads, synchronize } = await makeWork(workerData);
  parentPort.on('message', async ({ kind, threads }) => {
    setThreads(threads);
    let times = 0;
    const start = performance.now();
    do {
      await work[kind]();
      await synchronize();
      times++;
    } while (performance.now() - start < kMoment);
    parentPort.postMessage((performance.now() - start) / times);
  });
  parentPort.postMessage('ready');
}

const answer = (worker) =>
  new Promise((resolve, reject) => {
    worker.once('message', (message) => {
      worker.off('error', reject);
      resolve(message);
    });
    worker.once('error', reject);
  });
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function measure(entry, threads, count) {
  const workers = Array.from(
    { length: count },
    () => new Worker(fileURLToPath(import.meta.url), { workerData: entry }),
  );
  await Promise.all(workers.map(answer));
  // Milliseconds for one piece of work: the mean of the workers.
  const time = async (kind, threads) => {
    const answers = workers.map(answer);
    for (const worker of workers) worker.postMessage({ kind, threads });
    return (await Promise.all(answers)).reduce((sum, one) => sum + one / count, 0);
  };
  const result = {};
  for (const kind of ['inference', 'training']) {
    const slowdowns = [];
    await time(kind, threads);
    for (let round = 0; round < kRounds; round++) {
      const alone = await time(kind, 1);
      slowdowns.push((await time(kind, threads)) / alone);
    }
    result[kind] = median(slowdowns);
  }
  await setTimeout(100);
  const before = process.cpuUsage();
  await setTimeout(1000);
  const used = process.cpuUsage(before);
  result.idle = (used.user + used.system) / 1e6;
  console.log(JSON.stringify(result));
  await Promise.all(workers.map((worker) => worker.terminate()));
}

if (isMainThread) await measure(process.argv[2], Number(process.argv[3]), Number(process.argv[4]));
else await serve();
