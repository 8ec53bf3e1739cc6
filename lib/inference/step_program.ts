import { wrongRange } from '../arguments.js';
import { noGrad } from '../autograd/tape.js';
import { CudnnGruError } from '../errors.js';
import type { Program } from '../native/addon.js';
import { addon } from '../native/load.js';
import { fill } from '../ops/result.js';
import { keepFromScope, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { StreamedModel } from './stream_pool.js';
import { StreamStates } from './stream_states.js';

const firstRow = Int32Array.of(0);

/** @internal One step of one stream, to learn the size of its output and, where the device can, to record it. */
export function traceStep(streamed: StreamedModel): { outputSize: number; program: StepProgram | null } {
  const { model, device, inputSize, layout } = streamed;
  const frame = keepFromScope(fill([1, inputSize], 0, device));
  const states = keepFromScope(fill([1, Math.max(1, layout.size)], 0, device));
  const records = addon.startRecording(device.index);
  try {
    const step = () => model.step(frame, new StreamStates(states, firstRow, layout));
    const output = keepFromScope(noGrad(() => scope(step)));
    if (output.rank !== 2 || output.shape[0] !== 1 || output.dtype !== 'float32') {
      throw wrongRange(`${model.constructor.name}.step()`, 'a float32 Tensor of shape [batch, outputs]', output);
    }
    const program = records ? addon.finishRecording(frame.handle, states.handle, output.handle) : null;
    const outputSize = output.size;
    output.dispose();
    return { outputSize, program: program && new StepProgram(program, model.parameters()) };
  } finally {
    addon.abandonRecording();
    frame.dispose();
    states.dispose();
  }
}

/**
 * One step of one stream, recorded once and run on the calling thread, without the device's queue. It works on copies of the parameters,
 * which are renewed, in the queue's order, before the first step after any of them was changed.
 */
export class StepProgram {
  readonly #program: Program;
  readonly #parameters: readonly Tensor[];
  #copied = -1;

  constructor(program: Program, parameters: readonly Tensor[]) {
    this.#program = program;
    this.#parameters = parameters;
  }

  /**
   * @param state [stateSize], of which nothing in the queue reads or writes at this time
   * @throws CudnnGruError `ERR_DISPOSED`; the error of a command that should have computed a parameter
   */
  run(state: Tensor, frame: Float32Array, output: Float32Array): void {
    // Versions only grow, so an equal sum means that none has changed.
    let version = 0;
    for (const parameter of this.#parameters) {
      if (parameter.disposed) {
        throw new CudnnGruError('ERR_DISPOSED', 'the model of this stream was moved or disposed; create a new stream');
      }
      version += parameter.storage.version;
    }
    if (version !== this.#copied) {
      addon.refreshProgram(this.#program);
      this.#copied = version;
    }
    addon.runProgram(this.#program, state.handle, frame, output);
  }
}
