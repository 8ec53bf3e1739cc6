// Load for a server, cheap enough to share two cores with it: keep-alive sockets, requests made once, answers counted by their length and
// compared byte for byte. Own code instead of autocannon for three reasons: it can keep a rate whatever the answers do (each latency counts from
// when the request was due, so a stalled server cannot hide), it checks every answer, and it takes less of the processor it measures on.
import { connect } from 'node:net';

const headEnd = Buffer.from('\r\n\r\n');

/** An HTTP request for keep-alive sockets. */
export function httpRequest(path, body, headers = {}) {
  const lines = Object.entries({ Host: 'bench', 'Content-Length': body.length, ...headers });
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** One connection: `ask` resolves with the status and body of the answer. */
export class Connection {
  #socket;
  #received = Buffer.alloc(0);
  #resolve = null;
  #reject = null;

  static open(port) {
    return new Promise((resolve, reject) => {
      const connection = new Connection();
      connection.#socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(connection));
      connection.#socket.on('data', (data) => connection.#onData(data));
      connection.#socket.on('error', (error) => {
        reject(error);
        connection.#reject?.(error);
      });
      connection.#socket.on('close', () => connection.#reject?.(new Error('the server closed the connection')));
    });
  }

  ask(request) {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(request);
    });
  }

  close() {
    this.#reject = null;
    this.#socket.destroy();
  }

  #onData(data) {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    const end = this.#received.indexOf(headEnd);
    if (end < 0) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = Number(/^content-length: (\d+)/im.exec(head)[1]);
    const start = end + headEnd.length;
    if (this.#received.length < start + length) return;
    const body = this.#received.subarray(start, start + length);
    this.#received = this.#received.subarray(start + length);
    const resolve = this.#resolve;
    this.#resolve = null;
    this.#reject = null;
    resolve({ status: Number(head.slice(9, 12)), body });
  }
}

/** The value below which this share of the sorted numbers lies. */
export const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

async function withConnections(port, count, work) {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(port)));
  try {
    return await work(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

function check({ status, body }, expected) {
  if (status !== 200 || !body.equals(expected)) {
    throw new Error(`a wrong answer: ${status} ${body.toString('latin1', 0, 200)}`);
  }
}

/**
 * Each connection asks again as soon as it has its answer.
 * @param cases requests with their expected answers, taken in turn
 * @returns requests per second, and latencies in milliseconds, sorted
 */
export function closedLoop(port, cases, { connections, seconds }) {
  return withConnections(port, connections, async (open) => {
    const latencies = [];
    const start = performance.now();
    const end = start + 1000 * seconds;
    await Promise.all(
      open.map(async (connection, index) => {
        for (let i = index; performance.now() < end; i++) {
          const { request, expected } = cases[i % cases.length];
          const asked = performance.now();
          check(await connection.ask(request), expected);
          latencies.push(performance.now() - asked);
        }
      }),
    );
    const perSecond = (1000 * latencies.length) / (performance.now() - start);
    return { perSecond, latencies: latencies.sort((a, b) => a - b) };
  });
}

/** So many requests per second, evenly, whatever the answers do; a latency counts from when its request was due. */
export function constantRate(port, cases, { rate, connections, seconds }) {
  return withConnections(port, connections, async (open) => {
    const latencies = [];
    const idle = [...open];
    const due = [];
    const asked = [];
    const start = performance.now();
    const count = Math.round(rate * seconds);
    const run = () => {
      while (idle.length > 0 && due.length > 0) {
        const connection = idle.pop();
        const { index, at } = due.shift();
        const { request, expected } = cases[index % cases.length];
        asked.push(
          connection.ask(request).then((answer) => {
            latencies.push(performance.now() - at);
            check(answer, expected);
            idle.push(connection);
            run();
          }),
        );
      }
    };
    await new Promise((resolve) => {
      let next = 0;
      const tick = () => {
        const now = performance.now();
        for (; next < count && start + (1000 * next) / rate <= now; next++) {
          due.push({ index: next, at: start + (1000 * next) / rate });
        }
        run();
        if (next === count) resolve();
        else setTimeout(tick, 1);
      };
      tick();
    });
    while (latencies.length < count) {
      await Promise.race([Promise.all(asked), new Promise((resolve) => setTimeout(resolve, 20))]);
    }
    await Promise.all(asked);
    return { latencies: latencies.sort((a, b) => a - b) };
  });
}
