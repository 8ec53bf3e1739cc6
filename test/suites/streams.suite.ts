import { describe, expect, it } from 'vitest';
import {
  Dropout,
  Embedding,
  GRU,
  LayerNorm,
  Linear,
  Module,
  noGrad,
  randn,
  Sequential,
  SGD,
  type Stream,
  type StreamStates,
  type Tensor,
  tasks,
  tensor,
} from '../../lib/index.js';
import { Array64, item, range } from '../reference/array64.js';
import { type Backend, expectSame } from './backend.js';
import { random32 } from './checks.js';

const inputSize = 7;

/** Random frames, [time][inputSize]. */
function frames(time: number, seed: number): Float32Array[] {
  const data = Float32Array.from(random32(seed, [time, inputSize]).data);
  return range(time).map((t) => data.subarray(t * inputSize, (t + 1) * inputSize));
}

function flat(rows: readonly Float32Array[]): Float32Array {
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

/** Streams of a model: the bits of the whole sequence, whoever else is computed at the same time. */
export function run(backend: Backend): void {
  const { device } = backend;
  const options = { inputSize, hiddenSize: 19, device };
  const models: Record<string, () => Module & { forward(x: Tensor): unknown }> = {
    'a GRU': () => new GRU(options),
    'a GRU that resets before, without biases': () => new GRU({ ...options, variant: 'resetBefore', bias: false }),
    'a stacked, time-major GRU': () => new GRU({ ...options, numLayers: 3, timeMajor: true }),
    'GRU, LayerNorm, Dropout, GRU, Linear': () =>
      new Sequential(
        new GRU({ ...options, numLayers: 2 }),
        new LayerNorm({ size: 19, device }),
        new Dropout(0.5),
        new GRU({ inputSize: 19, hiddenSize: 40, device }),
        new Linear({ inputSize: 40, outputSize: 5, device }),
      ),
    'a model without a GRU': () => new Linear({ inputSize, outputSize: 3, device }),
  };

  /** [time, outputs]: the model's output for one whole sequence. */
  async function whole(model: Module, sequence: readonly Float32Array[]): Promise<Float32Array> {
    const timeMajor = model instanceof GRU && model.timeMajor;
    const shape = timeMajor ? [sequence.length, 1, inputSize] : [1, sequence.length, inputSize];
    const result = noGrad(() => (model as GRU).forward(tensor(flat(sequence), shape, { device })));
    return ((await ('output' in result ? result.output : (result as Tensor)).data()) as Float32Array).slice();
  }

  async function pushAll(stream: Stream, sequence: readonly Float32Array[]): Promise<Float32Array> {
    return flat(await Promise.all(sequence.map((frame) => stream.push(frame))));
  }

  // The same bits, where the backend promises them.
  const expectEqual = (actual: ArrayLike<number>, expected: ArrayLike<number>, label: string) =>
    expectSame(backend, actual, new Array64([expected.length], Array.from(expected)), label);

  describe.each(Object.keys(models))('%s', (name) => {
    const make = () => (models[name] as () => Module)().eval();

    it('pushed frames: many streams of different lengths, all at once', async () => {
      const model = make();
      const sequences = range(9).map((i) => frames(1 + 3 * i, 10 + i));
      const streams = sequences.map(() => model.createStream());
      const outputs = await Promise.all(streams.map((stream, i) => pushAll(stream, item(sequences, i))));
      for (const [i, sequence] of sequences.entries()) {
        expectEqual(item(outputs, i), await whole(model, sequence), `stream ${i}`);
      }
    });

    it('stepSync, and mixed with push', async () => {
      const model = make();
      const sequence = frames(12, 3);
      const expected = await whole(model, sequence);
      const [stepped, mixed, other] = [model.createStream(), model.createStream(), model.createStream()];
      const busy = pushAll(other, sequence);
      expectEqual(flat(sequence.map((frame) => stepped.stepSync(frame))), expected, 'stepSync');
      const outputs: Promise<Float32Array>[] = [];
      for (const [t, frame] of sequence.entries()) {
        // A frame that was pushed before and not waited for comes first.
        outputs.push(t % 3 === 2 ? Promise.resolve(mixed.stepSync(frame)) : mixed.push(frame));
      }
      expectEqual(flat(await Promise.all(outputs)), expected, 'mixed');
      expectEqual(await busy, expected, 'the stream computed by the queue meanwhile');
    });

    it('a saved state goes on in another stream; reset starts anew', async () => {
      const model = make();
      const sequence = frames(10, 4);
      const expected = await whole(model, sequence);
      const first = model.createStream();
      const half = sequence.slice(0, 5).map((frame) => first.push(frame));
      const saved = await first.saveState();
      const second = model.createStream();
      second.restoreState(saved);
      const rest = await pushAll(second, sequence.slice(5));
      expectEqual(flat([...(await Promise.all(half)), rest]), expected, 'restored');
      first.restoreState(saved);
      expectEqual(flat(sequence.slice(5).map((frame) => first.stepSync(frame))), rest, 'restored, stepSync');
      first.reset();
      expectEqual(await pushAll(first, sequence), expected, 'after reset');
    });
  });

  it('more streams than one block holds; rows are used again', async () => {
    const model = new GRU({ ...options, hiddenSize: 3 }).eval();
    const sequence = frames(3, 5);
    const expected = await whole(model, sequence);
    for (let round = 0; round < 2; round++) {
      const streams = range(1100).map(() => model.createStream({ deadline: 0 }));
      const outputs = await Promise.all(streams.map((stream) => pushAll(stream, sequence)));
      for (const output of outputs) expectEqual(output, expected, `round ${round}`);
      for (const stream of streams) stream.close();
    }
  });

  it('parameters that change are in effect from the next frame on', async () => {
    const model = new Sequential(new GRU(options), new Linear({ inputSize: 19, outputSize: 2, device }));
    const optimizer = new SGD(model.parameters(), { learningRate: 0.5 });
    const [pushed, stepped] = [model.createStream(), model.createStream()];
    for (const [t, frame] of frames(6, 6).entries()) {
      const fresh = model.createStream(); // its program is that of the others
      fresh.restoreState(await pushed.saveState());
      const promise = pushed.push(frame);
      expectEqual(stepped.stepSync(frame), await promise, `frame ${t}`);
      const before = fresh.stepSync(frame);
      model
        .forward(randn([4, 5, inputSize], { device }))
        .sum()
        .backward();
      await optimizer.step();
      optimizer.zeroGrad();
      fresh.restoreState(new Float32Array(19));
      expect([...fresh.stepSync(frame)], 'the step changed nothing').not.toEqual([...before]);
      fresh.close();
    }
  });

  it('task models: a forecaster and a classifier after every row', async () => {
    const sequence = frames(6, 7);
    for (const model of [
      new tasks.Forecaster({ inputSize, horizon: 4, device }).eval(),
      new tasks.Classifier({ inputSize, classes: 3, bidirectional: false, numLayers: 2, device }).eval(),
    ]) {
      const stream = model.createStream();
      for (let t = 1; t <= sequence.length; t++) {
        const x = tensor(flat(sequence.slice(0, t)), [1, t, inputSize], { device });
        const expected = await noGrad(() => model.forward(x)).data();
        expectEqual(await stream.push(item(sequence, t - 1)), expected, `${model.constructor.name}, row ${t}`);
      }
    }
  });

  it('a class of one’s own, with a state of its own', async () => {
    class MovingSum extends Module {
      gru = new GRU(options);
      head = new Linear({ inputSize: 19, outputSize: 2, device });
      readonly inputSize = inputSize;
      override get stateSize(): number {
        return 2;
      }
      override forward(): never {
        throw new Error('not used');
      }
      override step(x: Tensor, states: StreamStates): Tensor {
        const sum = states.read(this).add(this.head.step(this.gru.step(x, states)).tanh());
        states.write(this, sum);
        return sum.reshape(-1, 2);
      }
    }
    const model = new MovingSum().eval();
    const layers = new Sequential(model.gru, model.head);
    const sequence = frames(5, 8);
    const parts = await whole(layers, sequence);
    const [pushed, stepped] = [model.createStream(), model.createStream()];
    const sums = new Float32Array(2);
    for (const [t, frame] of sequence.entries()) {
      const terms = await tensor(parts.slice(2 * t, 2 * t + 2), undefined, { device })
        .tanh()
        .data();
      for (const i of [0, 1]) sums[i] = (sums[i] as number) + (terms[i] as number);
      expectEqual(await pushed.push(frame), sums, `push, frame ${t}`);
      expectEqual(stepped.stepSync(frame), sums, `stepSync, frame ${t}`);
    }
  });

  it('an int8 and a bfloat16 GRU', async (context) => {
    if (device !== 'cpu') context.skip('a quantized GRU runs on the CPU only');
    const model = new Sequential(
      new GRU({ ...options, numLayers: 2 }),
      new Linear({ inputSize: 19, outputSize: 2, device }),
    );
    for (const precision of ['int8', 'bfloat16'] as const) {
      const quantized = model.quantize(precision);
      const sequence = frames(7, 9);
      const expected = await whole(quantized, sequence);
      expectEqual(await pushAll(quantized.createStream(), sequence), expected, precision);
      const stream = quantized.createStream();
      expectEqual(flat(sequence.map((frame) => stream.stepSync(frame))), expected, `${precision}, stepSync`);
    }
  });

  it('what cannot stream says why', () => {
    const cannot = (model: Module, reason: RegExp) => {
      expect(() => model.createStream({ inputSize })).toThrow(
        expect.objectContaining({
          name: 'CudnnGruError',
          code: 'ERR_UNSUPPORTED',
          message: expect.stringMatching(reason),
        }),
      );
    };
    const both = new GRU({ ...options, bidirectional: true });
    cannot(both, /^GRU cannot stream: it is bidirectional/);
    cannot(new Sequential(both, new Linear({ inputSize: 38, outputSize: 2, device })), /^GRU .* bidirectional/);
    cannot(both.quantize('int8'), /^QuantizedGRU cannot stream: it is bidirectional/);
    cannot(new Embedding({ vocabularySize: 5, embeddingSize: 3, device }), /^Embedding cannot stream: it has no step/);
    const tokens = { vocabularySize: 9, classes: 2, bidirectional: false, device };
    cannot(new tasks.Classifier(tokens), /token numbers/);
    const mean = { inputSize, classes: 2, bidirectional: false, pooling: 'mean', device } as const;
    cannot(new tasks.Classifier(mean), /pooling 'mean'/);
    class Waits extends Module {
      override forward(): void {}
      override step(x: Tensor): Tensor {
        return tensor(x.tanh().dataSync() as Float32Array, x.shape, { device });
      }
    }
    // Only where steps are recorded; elsewhere it is slow, and works.
    if (device === 'cpu') cannot(new Waits(), /must not wait/);
    // The operations after a failed recording run as ever.
    expect(tensor([1, 2], undefined, { device }).add(1).dataSync()).toEqual(Float32Array.of(2, 3));
  });

  it('1,024 frames of a stream wait at most; the next is refused, and the stream goes on without it', async () => {
    const model = new GRU({ inputSize, hiddenSize: 3 }).eval();
    const [stream, other] = [model.createStream(), model.createStream()];
    const frame = new Float32Array(inputSize).fill(0.25);
    const waiting = range(1024).map(() => stream.push(frame));
    await expect(stream.push(frame)).rejects.toMatchObject({
      code: 'ERR_BUSY',
      message: expect.stringContaining('1024 frames'),
    });
    // It is this stream's bound alone.
    waiting.push(other.push(frame));
    await Promise.all(waiting);
    const next = await stream.push(frame);
    for (let i = 0; i < 1024; i++) await other.push(frame);
    expectEqual(await stream.saveState(), await other.saveState(), 'states after 1,025 frames');
    expect(next).toHaveLength(3);
    for (const each of [stream, other]) each.close();
  });

  it('wrong arguments, closed streams and models that are gone', async () => {
    const model = new GRU(options).eval();
    const stream = model.createStream();
    expect([stream.inputSize, stream.outputSize, stream.closed]).toEqual([inputSize, 19, false]);
    await expect(stream.push([1] as never)).rejects.toThrow('frame: expected a Float32Array, got [1]');
    await expect(stream.push(new Float32Array(3))).rejects.toThrow('frame: expected 7 numbers, got Float32Array of 3');
    expect(() => stream.stepSync(new Float32Array(8))).toThrow(RangeError);
    expect(() => stream.stepSync(new Float32Array(7), new Float32Array(2))).toThrow('output: expected 19 numbers');
    expect(() => stream.restoreState(new Float32Array(7))).toThrow('state: expected 19 numbers');
    expect(() => model.createStream({ deadline: -1 })).toThrow('deadline');
    expect(() => model.createStream({ inputSize: 3 })).toThrow('x: expected shape [1, 7]');
    expect(() => new Plain().createStream()).toThrow('inputSize: expected an integer >= 1, got undefined');

    const waiting = stream.push(new Float32Array(7));
    stream.close();
    stream.close();
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await expect(stream.push(new Float32Array(7))).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    expect(() => stream.stepSync(new Float32Array(7))).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));

    const orphan = model.createStream();
    model.dispose();
    await expect(orphan.push(new Float32Array(7))).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    expect(() => orphan.stepSync(new Float32Array(7))).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
  });
}

class Plain extends Module {
  override forward(): void {}
}
