import { hint, quote } from '../arguments.js';
import { loadModel } from '../formats/models.js';
import type { HostTensors } from '../inference/compute_batch.js';
import { elementCount } from '../tensor/tensor.js';
import { HttpError } from './http_errors.js';
import { ServedModel } from './served_model.js';
import type { ServerSettings } from './server_options.js';

/** The models by name. A name always answers with one whole version: the next one takes its place when it has been loaded and tried. */
export class ModelRepository {
  readonly #settings: ServerSettings;
  readonly #onBatch: (model: string, rows: number) => void;
  readonly #models = new Map<string, ServedModel>();
  readonly #loading = new Map<string, Promise<ServedModel>>();

  /** @param onBatch called with the rows of each batch that a model computes */
  constructor(settings: ServerSettings, onBatch: (model: string, rows: number) => void) {
    this.#settings = settings;
    this.#onBatch = onBatch;
  }

  get names(): string[] {
    return Object.keys(this.#settings.models);
  }

  /** The models that can be used now. */
  get models(): ServedModel[] {
    return [...this.#models.values()];
  }

  /** @throws HttpError 404 for a name, or a version of it, that is not served */
  get(name: string, version?: string): ServedModel {
    const model = this.#models.get(name);
    if (!model) throw new HttpError(404, 'ERR_MODEL', `there is no model ${quote(name)}${hint(name, this.names)}`);
    if (version !== undefined && version !== String(model.version)) {
      throw new HttpError(404, 'ERR_MODEL', `version ${quote(version)} of ${name} is not served; ${model.version} is`);
    }
    return model;
  }

  /**
   * Reads a model's file again and lets the new version take the old one's place; requests that the old one has accepted are answered by it.
   * When the file cannot be served the old version stays. Calls while one is going on share its result.
   *
   * @throws HttpError 404; CudnnGruError `ERR_FILE`, `ERR_FORMAT`, `ERR_UNSUPPORTED`, `ERR_OUT_OF_MEMORY`
   */
  load(name: string): Promise<ServedModel> {
    const path = Object.hasOwn(this.#settings.models, name) ? this.#settings.models[name] : undefined;
    if (path === undefined) return Promise.reject(new HttpError(404, 'ERR_MODEL', `there is no model ${quote(name)}`));
    const loading = this.#loading.get(name) ?? this.#load(name, path).finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  async #load(name: string, path: string): Promise<ServedModel> {
    const model = await loadModel(path, { device: this.#settings.device });
    try {
      const old = this.#models.get(name);
      const onBatch = (rows: number) => this.#onBatch(name, rows);
      const served = new ServedModel(name, (old?.version ?? 0) + 1, model, this.#settings, onBatch);
      await served.infer(zeroCall(served));
      this.#models.set(name, served);
      old?.retire();
      return served;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  dispose(): void {
    for (const model of this.#models.values()) model.retire();
    this.#models.clear();
  }
}

// One row of zeros: shows that the model can be computed, and lets the device make its weights ready.
function zeroCall({ signature }: ServedModel): HostTensors {
  return signature.inputs.map(({ dtype, shape }) => {
    const sizes = shape.map((axis) => (typeof axis === 'number' ? axis : 1));
    return { data: new (dtype === 'int32' ? Int32Array : Float32Array)(elementCount(sizes)), shape: sizes };
  });
}
