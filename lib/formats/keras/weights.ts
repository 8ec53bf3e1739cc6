import { quote } from '../../arguments.js';
import { type KerasLayerConfig, malformedConfig, unsupported } from './config.js';
import type { Hdf5Array, Hdf5Contents } from './hdf5.js';
import type { KerasArray } from './layer_import.js';

// Where a Keras file keeps each layer's arrays. Since Keras 2.12 under the class's name and a counter, `layers/gru_1/cell/vars/0`; before, and in
// files that end in .h5 still, under the layer's name, with an attribute that lists them in order.

/** `LayerNormalization` → `layer_normalization`, as Keras does it. */
function snakeCase(className: string): string {
  return className
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

// Within a layer's group, in Keras's order.
const places: Readonly<Record<string, readonly string[]>> = {
  GRU: ['cell/vars'],
  Bidirectional: ['forward_layer/cell/vars', 'backward_layer/cell/vars'],
  TimeDistributed: ['layer/vars'],
};

/** Where the arrays of a class lie within its group. */
export function arrayPlaces(className: string): readonly string[] {
  return Object.hasOwn(places, className) ? (places[className] as readonly string[]) : ['vars'];
}

/** Names the groups of layers, one after another: `layers/gru`, `layers/gru_1`. */
export class LayerGroups {
  readonly #used = new Map<string, number>();

  next(className: string): string {
    const base = snakeCase(className);
    const count = this.#used.get(base) ?? 0;
    this.#used.set(base, count + 1);
    return `layers/${count === 0 ? base : `${base}_${count}`}`;
  }
}

/**
 * The arrays of each layer, in Keras's order.
 * @throws CudnnGruError `ERR_FORMAT`; `ERR_UNSUPPORTED` for element types other than float32 and float64
 */
export function arraysOfLayers(layers: readonly KerasLayerConfig[], contents: Hdf5Contents): KerasArray[][] {
  const byPath = new Map(contents.arrays.map((array) => [array.path, array]));
  const isLegacy = Object.keys(contents.attributes).some((key) => /^(model_weights\/)?[^/]+@weight_names/.test(key));
  const groups = new LayerGroups();
  return layers.map((layer) =>
    isLegacy
      ? legacyArrays(layer, contents, byPath)
      : groupArrays(layer, groups.next(layer.className), contents, byPath),
  );
}

type ByPath = ReadonlyMap<string, Hdf5Array>;

function groupArrays(layer: KerasLayerConfig, group: string, contents: Hdf5Contents, byPath: ByPath): KerasArray[] {
  // Keras 3 keeps the layer's own name, by which a file of another model is found out.
  const name = contents.attributes[`${group}/vars@name`];
  if (name !== undefined && name !== layer.name) {
    throw malformedConfig(
      `its weights at ${quote(group)} are of layer ${quote(String(name))}, not ${quote(layer.name)}`,
    );
  }
  const found: KerasArray[] = [];
  for (const place of arrayPlaces(layer.className)) {
    for (let index = 0; ; index++) {
      const array = byPath.get(`${group}/${place}/${index}`);
      if (!array) break;
      found.push(float32(array));
    }
  }
  return found;
}

function legacyArrays({ name }: KerasLayerConfig, { attributes }: Hdf5Contents, byPath: ByPath): KerasArray[] {
  // A file of weights alone has no group around the layers.
  for (const group of [`model_weights/${name}`, name]) {
    const names = listAttribute(attributes, `${group}@weight_names`);
    if (!names) continue;
    return names.map((path) => {
      const array = byPath.get(`${group}/${path}`);
      if (!array)
        throw malformedConfig(`it lists the array ${quote(path)} of layer ${quote(name)} and does not hold it`);
      return float32(array);
    });
  }
  return [];
}

// A long list is cut into attributes with numbers; an empty one is an empty array of numbers.
function listAttribute(attributes: Readonly<Record<string, unknown>>, key: string): string[] | undefined {
  const whole = attributes[key];
  if (Array.isArray(whole)) return whole.map(String);
  if (whole !== undefined) return [String(whole)];
  const parts: string[] = [];
  for (let index = 0; Array.isArray(attributes[`${key}${index}`]); index++) {
    parts.push(...(attributes[`${key}${index}`] as unknown[]).map(String));
  }
  return parts.length > 0 ? parts : undefined;
}

function float32({ path, shape, data }: Hdf5Array): KerasArray {
  if (data === null) throw unsupported(`its array ${quote(path)} holds neither float32 nor float64`);
  if (data instanceof Float32Array) return { shape, data };
  const converted = Float32Array.from(data);
  const at = converted.findIndex((value, index) => !Number.isFinite(value) && Number.isFinite(data[index]));
  if (at >= 0) throw unsupported(`its array ${quote(path)} holds ${data[at]}, which does not fit into float32`);
  return { shape, data: converted };
}
