// Keras keeps a GRU's weights as [inputs, 3 × units] with the gates z, r, h side by side; PyTorch, cuDNN and this library as
// [3 × units, inputs] with r, z, n below each other.

const fromKeras = [1, 0, 2]; // r, z, n among z, r, h; and the same the other way

/** Keras's kernel [inputs, 3H] as weight [3H, inputs]. */
export function weightFromKernel(kernel: Float32Array, inputs: number): Float32Array {
  const columns = kernel.length / inputs;
  const hidden = columns / 3;
  const weight = new Float32Array(kernel.length);
  for (let row = 0; row < columns; row++) {
    const column = (fromKeras[Math.floor(row / hidden)] as number) * hidden + (row % hidden);
    for (let i = 0; i < inputs; i++) weight[row * inputs + i] = kernel[i * columns + column] as number;
  }
  return weight;
}

/** A weight [3H, inputs] as Keras's kernel [inputs, 3H]. */
export function kernelFromWeight(weight: Float32Array, inputs: number): Float32Array {
  const columns = weight.length / inputs;
  const hidden = columns / 3;
  const kernel = new Float32Array(weight.length);
  for (let row = 0; row < columns; row++) {
    const column = (fromKeras[Math.floor(row / hidden)] as number) * hidden + (row % hidden);
    for (let i = 0; i < inputs; i++) kernel[i * columns + column] = weight[row * inputs + i] as number;
  }
  return kernel;
}

/** A bias [3H] in the other order of gates: the first two change places. */
export function swapGates(bias: Float32Array): Float32Array {
  const hidden = bias.length / 3;
  const swapped = Float32Array.from(bias);
  swapped.set(bias.subarray(hidden, 2 * hidden), 0);
  swapped.set(bias.subarray(0, hidden), hidden);
  return swapped;
}

/** A matrix [rows, columns] as [columns, rows]. */
export function transposed(matrix: Float32Array, rows: number): Float32Array {
  const columns = matrix.length / rows;
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = matrix[row * columns + column] as number;
    }
  }
  return result;
}
