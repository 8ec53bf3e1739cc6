import { wrongKind } from '../arguments.js';
import { Tensor } from './tensor.js';

let current: Set<Tensor> | null = null;

/** Every new tensor calls this once. */
export function trackInScope(tensor: Tensor): void {
  current?.add(tensor);
}

/** For a tensor that outlives the scope in which it was made: gradients, optimizer state. */
export function keepFromScope<T extends Tensor>(tensor: T): T {
  current?.delete(tensor);
  return tensor;
}

/**
 * Runs `fn` and disposes every tensor that was made inside it, except those it returns (a tensor, or arrays and plain objects that
 * hold tensors). Gradients of tensors from outside and optimizer state are kept. Scopes may be nested.
 *
 * @throws TypeError if `fn` is asynchronous: what it makes after its first `await` could not be known.
 */
export function scope<T>(fn: () => T): T {
  const outer = current;
  const mine = new Set<Tensor>();
  current = mine;
  try {
    const result = fn();
    if (result instanceof Promise) throw wrongKind('fn', 'a function that is not asynchronous', fn);
    for (const tensor of tensorsIn(result)) {
      mine.delete(tensor);
      outer?.add(tensor);
    }
    return result;
  } finally {
    current = outer;
    for (const tensor of mine) tensor.dispose();
  }
}

function* tensorsIn(value: unknown): Generator<Tensor> {
  if (value instanceof Tensor) yield value;
  else if (Array.isArray(value)) for (const item of value) yield* tensorsIn(item);
  else if (value && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) yield* tensorsIn(item);
  }
}
