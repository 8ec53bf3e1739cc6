import { CudnnGruError } from '../../errors.js';
import type { Module, StateDict } from '../../layers/index.js';
import { withParameterBudget } from '../../layers/parameters.js';
import { buildModule } from '../../layers/registry.js';
import { FileSource, naming, readBytes, SourceSlice } from '../byte_source.js';
import { ZipArchive } from '../zip/zip_archive.js';
import { type KerasConfig, malformedConfig, parseConfig, unsupported } from './config.js';
import { type Hdf5Contents, readHdf5 } from './hdf5.js';
import { importLayer } from './layer_import.js';
import { arraysOfLayers } from './weights.js';

const MAX_CONFIG_BYTES = 8 << 20;

/** What a file of Keras holds; files of weights have no config, files of architecture no arrays. */
interface KerasFile {
  config: string | undefined;
  version: string | undefined;
  contents: () => Promise<Hdf5Contents>;
}

/**
 * A KerasModel from `.keras`, `.h5` with architecture, or `.weights.h5` and the file that holds its architecture.
 *
 * @param configPath another file to take the architecture from: `.keras`, `.h5`, or the JSON of `model.to_json()`
 * @throws CudnnGruError
 */
export async function importKeras(path: string, configPath?: string): Promise<Module> {
  const given = configPath === undefined ? undefined : await readConfig(configPath);
  return withKerasFile(path, async (file) => {
    const config = given ?? file.config;
    if (config === undefined) {
      throw new CudnnGruError(
        'ERR_UNSUPPORTED',
        'it holds weights and no architecture: give the .keras file or the JSON of model.to_json() as `config`',
      );
    }
    // The architecture first: it is small, and what it asks for may be refused.
    const architecture = parseConfig(config);
    return buildKeras(architecture, file.version, await file.contents());
  });
}

/** @internal The model of an architecture and what an HDF5 file holds; `contents` loses its arrays. */
export async function buildKeras(
  config: KerasConfig,
  version: string | undefined,
  contents: Hdf5Contents,
): Promise<Module> {
  const arrays = arraysOfLayers(config.layers, contents);
  // What a layer was made of is let go of at once.
  contents.arrays.length = 0;
  const imported = config.layers.map((layer, index) => importLayer(layer, arrays.splice(index, 1, [])[0] ?? []));
  const state: StateDict = {};
  const layers = config.layers.map(({ name, calls }, index) => {
    const { architecture, parameters } = imported[index] as (typeof imported)[number];
    for (const [parameter, value] of Object.entries(parameters)) state[`${name}.${parameter}`] = value;
    return { name, architecture: { ...architecture }, calls: calls.map((call) => ({ ...call })) };
  });
  const elements = Object.values(state).reduce((sum, { data }) => sum + data.length, 0);
  const options = { inputs: config.inputs, layers, outputs: config.outputs };
  try {
    const model = withParameterBudget(elements, () => buildModule({ type: 'KerasModel', options }));
    await model.loadStateDict(state);
    model.summary = { importedFrom: `Keras ${version ?? ''}`.trim(), notes: imported.flatMap(({ notes }) => notes) };
    return model;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw malformedConfig(error.message);
    throw error;
  }
}

async function readConfig(path: string): Promise<string> {
  if (path.toLowerCase().endsWith('.json')) {
    const source = await FileSource.open(path);
    try {
      if (source.size > MAX_CONFIG_BYTES) throw malformedConfig(`${path} has more than ${MAX_CONFIG_BYTES} bytes`);
      return Buffer.from(await readBytes(source, 0, source.size)).toString('utf8');
    } finally {
      await source.close();
    }
  }
  return withKerasFile(path, async ({ config }) => {
    if (config === undefined) throw unsupported('it holds no architecture');
    return config;
  });
}

function withKerasFile<T>(path: string, use: (file: KerasFile) => Promise<T>): Promise<T> {
  return naming(path, async () => {
    const source = await FileSource.open(path);
    try {
      const start = Buffer.from(await readBytes(source, 0, Math.min(4, source.size))).toString('latin1');
      return await use(start === 'PK\u0003\u0004' ? await openArchive(path, source) : await openHdf5(path, source));
    } finally {
      await source.close();
    }
  });
}

async function openHdf5(path: string, source: FileSource): Promise<KerasFile> {
  const contents = await readHdf5({ size: source.size, path, start: 0 });
  return {
    config: text(contents, '@model_config'),
    version: text(contents, '@keras_version'),
    contents: async () => contents,
  };
}

function text({ attributes }: Hdf5Contents, key: string): string | undefined {
  const value = attributes[key];
  return typeof value === 'string' ? value : undefined;
}

async function openArchive(path: string, source: FileSource): Promise<KerasFile> {
  const archive = await ZipArchive.open(source);
  if (archive.entries.has('model.weights.json')) {
    throw unsupported('its weights are in pieces (model.weights.json), which are not supported');
  }
  const config = await archive.text('config.json', MAX_CONFIG_BYTES);
  const version = /"keras_version": *"([^"]+)"/.exec(await archive.text('metadata.json', MAX_CONFIG_BYTES))?.[1];
  const contents = async () => {
    const weights = await archive.member('model.weights.h5');
    const { size } = weights;
    return readHdf5(
      weights instanceof SourceSlice
        ? { size, path, start: weights.start }
        : { size, bytes: await readBytes(weights, 0, size) },
    );
  };
  return { config, version, contents };
}
