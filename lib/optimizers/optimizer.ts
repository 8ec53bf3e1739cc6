import { checkNumber, wrongKind, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { Handles } from '../native/addon.js';
import { addon } from '../native/load.js';
import { checkTensor, checkTensorShape, fill, handlesOf, upload } from '../ops/result.js';
import type { Device } from '../tensor/device.js';
import { keepFromScope } from '../tensor/scope.js';
import { Tensor, type TensorData } from '../tensor/tensor.js';
import { turns } from '../turns.js';

/** What every optimizer takes. */
export interface OptimizerOptions {
  /** Step size. */
  learningRate?: number;
  /** L2 penalty added to the gradient (AdamW: taken off the parameter). Default: 0 (AdamW: 0.01). */
  weightDecay?: number;
  /** Largest global 2-norm of all gradients together; larger ones are scaled down. Default: no limit. */
  clipNorm?: number;
  /** Largest absolute value of a gradient's element, after `clipNorm`. Default: no limit. */
  clipValue?: number;
}

/** Parameters with settings of their own beside them; what is left out is as in the optimizer's options. */
export type ParameterGroup<O> = { parameters: Iterable<Tensor> } & Partial<Omit<O, 'clipNorm' | 'clipValue'>>;

/** What a step did, read from the device. */
export interface OptimizerReport {
  /** Global 2-norm of the gradients of the last step, before clipping. */
  gradientNorm: number;
  /** Steps that changed the parameters. */
  steps: number;
  /** Steps that were skipped because a gradient held a NaN or an infinity. */
  skipped: number;
  /** Where the last such gradient was: the position of the parameter and of its group; null if the last step was sound. */
  nonFinite: { group: number; parameter: number } | null;
}

/** An optimizer's memory, on the host: by name, to be saved and loaded. */
export interface OptimizerState {
  counts: Int32Array;
  /** Group by group: settings. */
  options: Record<string, number | boolean>[];
  /** Parameter by parameter, over all groups: the tensors by name; empty for a parameter that never had a gradient. */
  parameters: Record<string, TensorData>[];
}

/** A group as the optimizer holds it. */
export interface Group<S> {
  readonly parameters: readonly Tensor[];
  options: S;
}

// A training loop may run ahead of the device by this many commands before `step()` waits.
const aheadLimit = 96;

/**
 * The base of the optimizers. In their formulas t counts the optimizer's steps, also for a parameter whose first gradient comes later (PyTorch
 * counts for each parameter). Updates run on the device, all parameters of a group in one operation; a step in which any gradient
 * is not finite is skipped there and counted. Nothing is read back unless `report()` is asked for.
 */
export abstract class Optimizer<S extends { learningRate: number; weightDecay: number }> {
  readonly groups: readonly Group<S>[];
  readonly clipNorm: number;
  readonly clipValue: number;
  readonly #device: Device;
  readonly #norm: Tensor;
  readonly #counts: Tensor;
  /** The parameters that had a gradient in the last step, in the order of the native call. */
  #lastStep: readonly Tensor[] = [];
  readonly #memory = new Map<Tensor, Record<string, Tensor>>();

  protected constructor(
    parameters: Iterable<Tensor> | readonly ParameterGroup<S>[],
    options: OptimizerOptions,
    settings: (groupOptions: object) => S,
  ) {
    if (typeof options !== 'object' || options === null) throw wrongKind('options', 'an object', options);
    this.clipNorm = options.clipNorm === undefined ? 0 : checkNumber(options.clipNorm, 'clipNorm', { above: 0 });
    this.clipValue = options.clipValue === undefined ? 0 : checkNumber(options.clipValue, 'clipValue', { above: 0 });
    this.groups = groupsOf(parameters).map((group) => ({
      parameters: group.parameters,
      options: settings(group.options),
    }));
    const [first] = this.groups.flatMap((group) => group.parameters);
    if (!first) throw wrongRange('parameters', 'at least one Tensor', parameters);
    this.#device = first.on;
    for (const { parameters: own } of this.groups) {
      for (const parameter of own) {
        if (parameter.on === this.#device) continue;
        throw new CudnnGruError(
          'ERR_DEVICE_MISMATCH',
          `parameters: one is on ${first.device}, another on ${parameter.device}`,
        );
      }
    }
    this.#norm = keepFromScope(fill([2], 0, this.#device));
    this.#counts = keepFromScope(upload(Int32Array.of(0, 0, -1, 0), [4], this.#device));
  }

  /** @internal Queues the update of one group. The lists have one entry for each parameter that has a gradient. */
  protected abstract update(
    options: S,
    shared: readonly [clipValue: number, norm: number, counts: number, parameters: Handles, gradients: Handles],
    parameters: readonly Tensor[],
  ): number;

  /** @internal For each parameter its tensor of this name (a running average), zeros at first. */
  protected memory(name: string, parameters: readonly Tensor[]): Handles {
    return Int32Array.from(parameters, (parameter) => {
      const own = this.#memory.get(parameter) ?? {};
      this.#memory.set(parameter, own);
      own[name] ??= keepFromScope(fill(parameter.shape, 0, parameter.on));
      return own[name].handle;
    });
  }

  /** The learning rate of the first group; setting it sets every group's. */
  get learningRate(): number {
    return (this.groups[0] as Group<S>).options.learningRate;
  }

  set learningRate(value: number) {
    checkNumber(value, 'learningRate', { min: 0 });
    for (const group of this.groups) group.options.learningRate = value;
  }

  /**
   * Updates every parameter that has a gradient, in the queue. The promise resolves as soon as the device is not too far behind,
   * normally at once; a loop that awaits it can neither fill the memory with waiting work nor keep timers from running.
   *
   * @throws CudnnGruError `ERR_NO_GRADIENT` if no parameter has a gradient
   */
  async step(): Promise<void> {
    const active = this.groups.map((group) => group.parameters.filter((parameter) => parameter.grad !== null));
    const all = active.flat();
    this.#lastStep = all;
    if (all.length === 0)
      throw new CudnnGruError('ERR_NO_GRADIENT', 'step(): no parameter has a gradient; call backward() first');
    for (const parameter of all) checkTensorShape(parameter.grad, 'parameter.grad', parameter.shape);
    const gradients = (of: readonly Tensor[]): Handles => handlesOf(of.map((parameter) => parameter.grad as Tensor));
    const { index } = this.#device;
    let pending = addon.gradientNorm(index, this.clipNorm, gradients(all), this.#norm.handle, this.#counts.handle);
    for (const [position, group] of this.groups.entries()) {
      const parameters = active[position] as Tensor[];
      if (parameters.length === 0) continue;
      const shared = [
        this.clipValue,
        this.#norm.handle,
        this.#counts.handle,
        handlesOf(parameters),
        gradients(parameters),
      ] as const;
      pending = this.update(group.options, shared, parameters);
      for (const parameter of parameters) parameter.storage.version++;
    }
    if (pending > aheadLimit) await addon.drain(index, aheadLimit / 2);
    else if (turns.due) await turns.next();
  }

  /** Drops every gradient. Call it before the next `backward()`, which would add to them. */
  zeroGrad(): void {
    for (const { parameters } of this.groups) {
      for (const parameter of parameters) {
        if (parameter.grad !== null) checkTensor(parameter.grad, 'parameter.grad').dispose();
        parameter.grad = null;
      }
    }
  }

  /** Reads the gradient norm and the counts of steps; waits for the device. */
  async report(): Promise<OptimizerReport> {
    const [norm, counts] = await Promise.all([this.#norm.data(), this.#counts.data()]);
    const [steps, skipped, bad] = counts as unknown as [number, number, number];
    return { gradientNorm: norm[0] as number, steps, skipped, nonFinite: bad < 0 ? null : this.#locate(bad) };
  }

  #locate(position: number): { group: number; parameter: number } {
    const found = this.#lastStep[position];
    for (const [group, { parameters }] of this.groups.entries()) {
      const parameter = found ? parameters.indexOf(found) : -1;
      if (parameter >= 0) return { group, parameter };
    }
    return { group: 0, parameter: position };
  }

  /** Everything that a later run needs to go on from here, copied to the host. */
  async state(): Promise<OptimizerState> {
    const parameters = this.groups
      .flatMap((group) => group.parameters)
      .map(async (parameter) => {
        const own = Object.entries(this.#memory.get(parameter) ?? {});
        return Object.fromEntries(
          await Promise.all(own.map(async ([name, tensor]) => [name, await tensor.data()] as const)),
        );
      });
    return {
      counts: (await this.#counts.data()) as Int32Array,
      options: this.groups.map((group) => ({ ...group.options }) as unknown as Record<string, number | boolean>),
      parameters: await Promise.all(parameters),
    };
  }

  /**
   * Goes on from a saved state of an optimizer with the same parameters.
   * @throws RangeError if the state does not fit
   */
  loadState(state: OptimizerState): void {
    if (!Array.isArray(state?.parameters) || !Array.isArray(state.options) || !(state.counts instanceof Int32Array))
      throw wrongKind('state', 'what state() gave', state);
    const parameters = this.groups.flatMap((group) => group.parameters);
    if (state.parameters.length !== parameters.length || state.options.length !== this.groups.length) {
      throw wrongRange(
        'state',
        `${parameters.length} parameters in ${this.groups.length} groups`,
        state.parameters.length,
      );
    }
    for (const [index, group] of this.groups.entries()) {
      const [own, saved] = [Object.keys(group.options).sort(), Object.keys(state.options[index] ?? {}).sort()];
      if (String(own) !== String(saved)) {
        throw wrongRange('state', `the state of an optimizer with the settings ${own.join(', ')}`, saved.join(', '));
      }
    }
    for (const [index, group] of this.groups.entries()) Object.assign(group.options, state.options[index]);
    this.#counts.write(state.counts);
    for (const [index, parameter] of parameters.entries()) {
      for (const [name, data] of Object.entries(state.parameters[index] ?? {})) {
        this.memory(name, [parameter]);
        this.#memory.get(parameter)?.[name]?.write(data);
      }
    }
  }

  /** Gives the memory of the running averages back. The parameters stay. */
  dispose(): void {
    for (const own of this.#memory.values()) for (const tensor of Object.values(own)) tensor.dispose();
    this.#memory.clear();
    this.#norm.dispose();
    this.#counts.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** @internal */
export function checkIterable(value: unknown, name: string, expected = 'Tensors'): void {
  if (typeof value !== 'object' || value === null || !(Symbol.iterator in value))
    throw wrongKind(name, expected, value);
}

function groupsOf<O>(
  given: Iterable<Tensor> | readonly ParameterGroup<O>[],
): { parameters: Tensor[]; options: object }[] {
  checkIterable(given, 'parameters', 'Tensors, or groups { parameters, learningRate, ... }');
  const entries = [...given] as (Tensor | ParameterGroup<O>)[];
  const groups = entries.every((entry) => entry instanceof Tensor)
    ? [{ parameters: entries, options: {} }]
    : (entries as ParameterGroup<O>[]).map((entry, index) => {
        if (!entry || typeof entry !== 'object' || entry instanceof Tensor || !entry.parameters) {
          throw wrongKind(`parameters[${index}]`, 'a group { parameters, learningRate, ... }', entry);
        }
        const { parameters, ...options } = entry;
        checkIterable(parameters, `parameters[${index}].parameters`);
        return { parameters: [...parameters], options };
      });
  const seen = new Set<Tensor>();
  for (const parameter of groups.flatMap((group) => group.parameters)) {
    if (!(parameter instanceof Tensor) || parameter.dtype !== 'float32')
      throw wrongKind('parameters', 'float32 Tensors', parameter);
    if (seen.has(parameter)) throw wrongRange('parameters', 'each Tensor once', parameter);
    seen.add(parameter);
  }
  return groups;
}
