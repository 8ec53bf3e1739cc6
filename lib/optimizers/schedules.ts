import { checkInteger, checkNumber, checkOptions } from '../arguments.js';

/**
 * How the learning rate changes: a factor of the optimizer's initial rate for each step, counted from 0. Schedules are plain functions, so
 * any `(step) => factor` is one; `reduceOnPlateau` looks at a metric instead.
 */
export type Schedule = (step: number) => number;

/** factor^⌊step / every⌋, as torch.optim.lr_scheduler.StepLR. @throws TypeError, RangeError */
export function stepDecay(options: { every: number; factor?: number }): Schedule {
  checkOptions(options, 'options', ['every', 'factor']);
  const every = checkInteger(options.every, 'every', { min: 1 });
  const factor = checkNumber(options.factor ?? 0.1, 'factor', { above: 0, max: 1 });
  return (step) => factor ** Math.floor(step / every);
}

/** From 1 along half a cosine to `floor` at `steps` (Loshchilov & Hutter 2017, without restarts). @throws TypeError, RangeError */
export function cosine(options: { steps: number; floor?: number }): Schedule {
  checkOptions(options, 'options', ['steps', 'floor']);
  const steps = checkInteger(options.steps, 'steps', { min: 1 });
  const floor = checkNumber(options.floor ?? 0, 'floor', { min: 0, max: 1 });
  return (step) => floor + ((1 - floor) * (1 + Math.cos(Math.PI * Math.min(1, step / steps)))) / 2;
}

/** (step + 1) / steps up to 1, then `after` counted from there (default: constant). @throws TypeError, RangeError */
export function linearWarmup(options: { steps: number; after?: Schedule }): Schedule {
  checkOptions(options, 'options', ['steps', 'after']);
  const steps = checkInteger(options.steps, 'steps', { min: 1 });
  const after = options.after ?? (() => 1);
  return (step) => (step < steps ? (step + 1) / steps : after(step - steps));
}

/**
 * Up from 1 / `startDivisor` to 1 over the first `rise` of the steps, then down to 1 / (startDivisor · endDivisor), both along half a
 * cosine (Smith & Topin 2018). @throws TypeError, RangeError
 */
export function oneCycle(options: {
  steps: number;
  rise?: number;
  startDivisor?: number;
  endDivisor?: number;
}): Schedule {
  checkOptions(options, 'options', ['steps', 'rise', 'startDivisor', 'endDivisor']);
  const steps = checkInteger(options.steps, 'steps', { min: 2 });
  const peak = checkNumber(options.rise ?? 0.3, 'rise', { above: 0, below: 1 }) * (steps - 1);
  const start = 1 / checkNumber(options.startDivisor ?? 25, 'startDivisor', { min: 1 });
  const end = start / checkNumber(options.endDivisor ?? 1e4, 'endDivisor', { min: 1 });
  const between = (from: number, to: number, part: number) => to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
  return (step) => {
    if (step <= peak) return between(start, 1, step / peak);
    return between(1, end, Math.min(1, (step - peak) / (steps - 1 - peak)));
  };
}

/** Lowers a factor when a metric has stopped falling; `state` and `restore` carry it over a checkpoint. */
export interface PlateauSchedule {
  /** The factor to use from now on, given the newest value of the metric. */
  update(metric: number): number;
  state(): { best: number; waited: number; factor: number };
  restore(state: { best: number; waited: number; factor: number }): void;
}

/**
 * Multiplies the factor by `factor` after `patience` updates without a new minimum that is lower by more than `threshold` (relative), as
 * torch.optim.lr_scheduler.ReduceLROnPlateau. @throws TypeError, RangeError
 */
export function reduceOnPlateau(
  options: { factor?: number; patience?: number; threshold?: number; floor?: number } = {},
): PlateauSchedule {
  checkOptions(options, 'options', ['factor', 'patience', 'threshold', 'floor']);
  const shrink = checkNumber(options.factor ?? 0.1, 'factor', { above: 0, below: 1 });
  const patience = checkInteger(options.patience ?? 10, 'patience', { min: 0 });
  const threshold = checkNumber(options.threshold ?? 1e-4, 'threshold', { min: 0 });
  const floor = checkNumber(options.floor ?? 0, 'floor', { min: 0, max: 1 });
  let state = { best: Number.POSITIVE_INFINITY, waited: 0, factor: 1 };
  return {
    update(metric) {
      if (
        metric < state.best * (1 - threshold) ||
        (state.best === Number.POSITIVE_INFINITY && Number.isFinite(metric))
      ) {
        state = { ...state, best: metric, waited: 0 };
      } else if (++state.waited > patience) {
        state = { ...state, waited: 0, factor: Math.max(floor, state.factor * shrink) };
      }
      return state.factor;
    },
    state: () => ({ ...state }),
    restore(saved) {
      state = { ...saved };
    },
  };
}
