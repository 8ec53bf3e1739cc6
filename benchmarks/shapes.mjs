// What is measured. Shapes are written T×B×I→H: time, batch, input size, hidden size.

export function shape(time, batch, inputSize, hiddenSize, { layers = 1, directions = 1, classes = 10 } = {}) {
  const stack = `${layers > 1 ? ` ×${layers}` : ''}${directions > 1 ? ' both directions' : ''}`;
  const name = `${time}×${batch}×${inputSize}→${hiddenSize}${stack}`;
  return { name, time, batch, inputSize, hiddenSize, layers, directions, classes };
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
