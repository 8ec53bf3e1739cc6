import { checkFunction, checkString, hint } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { Architecture, JsonValue, Module } from './module.js';

// biome-ignore lint/suspicious/noExplicitAny: each class checks its own options.
type Make = (options: any) => Module;

const known = new Map<string, Make>();

/**
 * Makes a class of one's own known to `loadModel` and `quantize`. Only registered classes are ever made from a file.
 *
 * @param type as its `architecture()` says
 * @param make from the options of its `architecture()`
 * @throws TypeError, RangeError
 */
export function registerModule(type: string, make: (options: JsonValue) => Module): void {
  known.set(checkString(type, 'type'), checkFunction(make, 'make'));
}

/** @internal The library's own classes, whose constructors check what they are given. */
export function registerLayers(makers: Readonly<Record<string, Make>>): void {
  for (const [type, make] of Object.entries(makers)) known.set(type, make);
}

/**
 * @internal
 * @param source what the architecture is of, for the message
 * @throws CudnnGruError `ERR_FORMAT` for a class that is not registered
 */
export function buildModule(architecture: Architecture, source = 'the model'): Module {
  const make = known.get(architecture?.type);
  if (!make) {
    const type = String(architecture?.type);
    throw new CudnnGruError(
      'ERR_FORMAT',
      `${source}: unknown kind of module ${JSON.stringify(type)}${hint(type, known.keys())}; a class of your own is made known by registerModule`,
    );
  }
  return make(architecture.options);
}
