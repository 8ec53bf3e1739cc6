// What is measured. Shapes are written T×B×I→H: time, batch, input size, hidden size.

export function shape(
  time,
  batch,
  inputSize,
  hiddenSize,
  { layers = 1, directions = 1, classes = 10, variant = 'resetAfter' } = {},
) {
  const stack = `${layers > 1 ? ` ×${layers}` : ''}${directions > 1 ? ' both directions' : ''}`;
  const cell = variant === 'resetAfter' ? '' : ' reset before';
  const name = `${time}×${batch}×${inputSize}→${hiddenSize}${stack}${cell}`;
  return { name, time, batch, inputSize, hiddenSize, layers, directions, classes, variant };
}

/** Floating-point operations of the matrix products of one forward pass: 2 for each multiply-add. */
export function forwardOperations({ time, batch, inputSize, hiddenSize, layers, directions }) {
  let operations = 0;
  for (let layer = 0; layer < layers; layer++) {
    const width = layer === 0 ? inputSize : directions * hiddenSize;
    operations += 6 * directions * time * batch * hiddenSize * (width + hiddenSize);
  }
  return operations;
}

export const gruShapes = [
  shape(1, 1, 128, 256),
  shape(1, 1, 512, 512),
  shape(100, 1, 128, 256),
  shape(100, 32, 128, 256),
  shape(100, 64, 256, 512),
  shape(50, 64, 512, 1024),
  shape(100, 64, 256, 512, { layers: 2, directions: 2 }),
  shape(200, 256, 64, 128, { layers: 2 }),
  shape(28, 128, 28, 128),
];

export const stepShapes = [
  shape(28, 128, 28, 128),
  shape(50, 32, 16, 64, { classes: 4 }),
  shape(100, 64, 64, 256, { layers: 2 }),
  shape(200, 32, 128, 512, { layers: 2, classes: 1000 }),
];

export const quickShapes = [shape(100, 32, 128, 256), shape(28, 128, 28, 128), shape(100, 1, 128, 256)];

/** How the cost grows with one size, the others held. */
export const sweeps = {
  batch: [1, 2, 4, 8, 16, 32, 64, 128, 256].map((batch) => shape(50, batch, 128, 256)),
  hidden: [32, 64, 128, 256, 512, 1024, 2048].map((hidden) => shape(20, 32, 128, hidden)),
  time: [1, 5, 20, 100, 500, 2000].map((time) => shape(time, 16, 64, 128)),
};

const gpuKinds = ['queued inference', 'forward + backward'];

// Goals are least ratios of a peer's time to ours, by the first word of its name; 1/1.05 where ours may take 5% more.
const asFast = { raw: 0.95, PyTorch: 0.95 };

const gpuGruShapes = [
  { shape: shape(100, 1, 128, 256), PyTorch: [5, 5] },
  { shape: shape(28, 128, 28, 128), PyTorch: [1.5, 4] },
  { shape: shape(100, 32, 128, 256) },
  { shape: shape(100, 64, 256, 512) },
  { shape: shape(100, 64, 256, 512, { layers: 2, directions: 2 }) },
  { shape: shape(50, 64, 512, 1024) },
  { shape: shape(200, 256, 64, 128, { layers: 2 }) },
  { shape: shape(100, 256, 1024, 1024, { layers: 2 }) },
];
const stepGoals = [3, 3, 1.3, 1.1];

function gruCases(shapes, precision) {
  return shapes.flatMap(({ shape, PyTorch }) =>
    gpuKinds.map((kind, index) => ({
      kind,
      precision,
      shape,
      goals: precision === 'float32' && PyTorch ? { ...asFast, PyTorch: PyTorch[index] } : asFast,
    })),
  );
}

/** The cell that cuDNN lacks, beside cuDNN's STANDARD for the other one, of which it may take twice the time. */
function resetBeforeCases(shapes) {
  return shapes.flatMap(({ shape: { time, batch, inputSize, hiddenSize, layers, directions } }) =>
    gpuKinds.map((kind) => ({
      kind,
      precision: 'float32',
      shape: shape(time, batch, inputSize, hiddenSize, { layers, directions, variant: 'resetBefore' }),
      goals: { raw: 0.5 },
    })),
  );
}

const stepCases = (precision) =>
  stepShapes.map((shape, index) => ({
    kind: 'training step',
    precision,
    shape,
    goals: { PyTorch: stepGoals[index] },
  }));

/** What gpu.mjs measures, what matters most first. */
export function gpuPlan(quick) {
  const few = gpuGruShapes.slice(0, 2);
  if (quick) return [...stepCases('float32'), ...gruCases(few, 'float32'), ...resetBeforeCases(few)];
  return [
    ...stepCases('float32'),
    ...gruCases(gpuGruShapes, 'float32'),
    ...resetBeforeCases(gpuGruShapes.slice(0, 6)),
    ...['float16', 'tf32', 'bfloat16'].flatMap((precision) => gruCases(gpuGruShapes, precision)),
    ...stepCases('tf32'),
  ];
}

/** Every kind of case, small; they have no goals. */
export const tinyPlan = [
  ...['float32', 'tf32', 'float16', 'bfloat16'].flatMap((precision) =>
    gruCases([{ shape: shape(3, 2, 3, 4) }], precision),
  ),
  ...resetBeforeCases([{ shape: shape(3, 2, 3, 4, { layers: 2, directions: 2 }) }]),
  { kind: 'training step', precision: 'tf32', shape: shape(3, 2, 3, 4) },
].map(({ goals, ...small }) => small);
