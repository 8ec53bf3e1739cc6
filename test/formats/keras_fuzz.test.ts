import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readHdf5 } from '../../dist/formats/keras/hdf5.js';
import { MemorySource, readBytes } from '../../lib/formats/byte_source.js';
import { parseConfig } from '../../lib/formats/keras/config.js';
import type { Hdf5Contents } from '../../lib/formats/keras/hdf5.js';
import { buildKeras } from '../../lib/formats/keras/import_keras.js';
import { ZipArchive } from '../../lib/formats/zip/zip_archive.js';
import { fc } from '../fast_check.js';
import '../../lib/index.js'; // makes the layers known
import { fuzz, limit, outcome, runs } from './fuzz.js';
import { peerFile } from './peer_file.js';

// The architecture of a Keras model is JSON: damaged as bytes, and as JSON that says something else. HDF5 is fuzzed in hdf5_fuzz.test.ts.

const models = await Promise.all(
  ['keras_bi_gru_dense_reset_after', 'keras_functional_state_reset_before', 'keras_embedding_softmax_reset_after'].map(
    async (name) => {
      const archive = await ZipArchive.open(new MemorySource(readFileSync(peerFile(`${name}.keras`))));
      const config = JSON.parse(await archive.text('config.json', 1 << 20));
      const weights = await archive.member('model.weights.h5');
      const bytes = await readBytes(weights, 0, weights.size);
      return { config, contents: (await readHdf5({ size: bytes.length, bytes })) as Hdf5Contents };
    },
  ),
);

/** Builds the model with the weights of the first. */
function build({ attributes, arrays }: Hdf5Contents) {
  return async (bytes: Buffer): Promise<number> => {
    const model = await buildKeras(parseConfig(bytes.toString('utf8')), undefined, { attributes, arrays: [...arrays] });
    const size = model.parameters().reduce((sum, { size }) => sum + 4 * size, 0);
    model.dispose();
    return size;
  };
}

const [first] = models as [(typeof models)[0]];
fuzz('config.json', [Buffer.from(JSON.stringify(first.config))], build(first.contents));

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every place in a JSON value, as its parent and key. */
function* places(value: Json): Iterable<[Record<string, Json>, string]> {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) {
    yield [value as Record<string, Json>, key];
    yield* places((value as Record<string, Json>)[key] as Json);
  }
}

test(`${runs} damaged architectures are built or refused, nothing else`, { timeout: limit }, async () => {
  const odd = fc.oneof(
    fc.jsonValue() as fc.Arbitrary<Json>,
    fc.constantFrom<Json>(-1, 0, 0.5, 1e9, 2 ** 53, '', 'GRU', 'Bidirectional', '__proto__', 'constructor', []),
  );
  const change = fc.tuple(fc.nat(), fc.option(odd, { nil: undefined }));
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(change, { minLength: 1, maxLength: 3 }), async (which, changes) => {
      const { config, contents } = models[which % models.length] as (typeof models)[0];
      const copy = structuredClone(config) as Json;
      for (const [at, value] of changes) {
        const all = [...places(copy)];
        const [parent, key] = all[at % all.length] as [Record<string, Json>, string];
        if (value === undefined) delete parent[key];
        else parent[key] = value;
      }
      if ((await outcome(build(contents), Buffer.from(JSON.stringify(copy)))) !== 'read') refused += 1;
    }),
    { numRuns: runs },
  );
  expect(refused).toBeGreaterThan(runs / 10);
});
