import WebSocket from 'ws';

type Answer = string | Float32Array;

/** A live stream of a server, whose answers come one by one. */
export interface LiveStream {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  /** The next answer. */
  next(): Promise<Answer>;
  /** Sends bytes or JSON; resolves with the numbers or the JSON that comes back. */
  ask(message: object | Float32Array): Promise<object>;
}

/** @throws what the server answered instead of opening it */
export async function liveStream(url: string, model: string): Promise<LiveStream> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v2/models/${model}/stream`);
  const answers: Answer[] = [];
  const waiting: ((answer: Answer) => void)[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    const answer = isBinary ? new Float32Array(new Uint8Array(data).buffer) : data.toString();
    const next = waiting.shift();
    if (next) next(answer);
    else answers.push(answer);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  const next = () =>
    new Promise<Answer>((resolve) => {
      const answer = answers.shift();
      if (answer === undefined) waiting.push(resolve);
      else resolve(answer);
    });
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  return {
    socket,
    closed,
    next,
    async ask(message) {
      socket.send(message instanceof Float32Array ? Buffer.from(message.buffer) : JSON.stringify(message));
      const answer = await next();
      return typeof answer === 'string' ? JSON.parse(answer) : answer;
    },
  };
}
