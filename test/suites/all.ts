import { describe } from 'vitest';
import * as arithmetic from './arithmetic.suite.js';
import * as attention from './attention.suite.js';
import type { Backend } from './backend.js';
import * as batchPrediction from './batch_prediction.suite.js';
import * as ctc from './ctc.suite.js';
import * as gru from './gru.suite.js';
import * as gruIdentity from './gru_identity.suite.js';
import * as gruLayer from './gru_layer.suite.js';
import * as gruPieces from './gru_pieces.suite.js';
import * as gruQuantized from './gru_quantized.suite.js';
import * as gruRandom from './gru_random.suite.js';
import * as layers from './layers.suite.js';
import * as linear from './linear.suite.js';
import * as losses from './losses.suite.js';
import * as optimizers from './optimizers.suite.js';
import * as precision from './precision.suite.js';
import * as random from './random.suite.js';
import * as sequences from './sequences.suite.js';
import * as streams from './streams.suite.js';

const suites = {
  arithmetic,
  linear,
  layers,
  sequences,
  attention,
  losses,
  ctc,
  optimizers,
  random,
  gru,
  gruLayer,
  gruPieces,
  gruRandom,
  gruIdentity,
  gruQuantized,
  precision,
  streams,
  batchPrediction,
};

interface Suite {
  run: (backend: Backend) => void;
  /** Why the suite is not for this backend; empty when it is. */
  unsuited?: (backend: Backend) => string;
}

/** Every suite on one backend; what cannot run here is skipped under a name that says why. */
export function runSuites(backend: Backend): void {
  const name = backend.available ? backend.name : `${backend.name} (skipped: ${backend.reason})`;
  describe.skipIf(!backend.available)(name, () => {
    for (const [subject, suite] of Object.entries<Suite>(suites)) {
      const reason = suite.unsuited?.(backend) ?? '';
      describe.skipIf(reason !== '')(reason ? `${subject} (skipped: ${reason})` : subject, () => suite.run(backend));
    }
  });
}
