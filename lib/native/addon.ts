import type { CudnnGruError, ErrorCode } from '../errors.js';

/** A number that stands for a tensor's place in native memory; 0 stands for none. */
export type Handle = number;
/** An open device's position. */
export type DeviceIndex = number;
/** Handles of a list of tensors; null where an optional list is absent. */
export type Handles = Int32Array;
/** Whole numbers that stay on the host; null where there are none. */
export type HostInts = Int32Array | null;
type Seed = number;
/** How many commands wait in the device's queue after the call. */
type Pending = number;

export interface NativeDeviceReport {
  name: string;
  available: boolean;
  description: string;
  reason: string;
  details: string[];
}

export interface MemoryUse {
  /** Bytes held by live tensors. */
  bytesInUse: number;
  /** The most bytes that live tensors ever held. */
  peakBytes: number;
  /** Bytes in use, and freed blocks kept for reuse. */
  bytesReserved: number;
}

type Unary = (device: DeviceIndex, count: number, x: Handle, out: Handle) => Pending;
type UnaryBackward = (device: DeviceIndex, count: number, y: Handle, yGrad: Handle, xGrad: Handle) => Pending;
type Binary = (
  device: DeviceIndex,
  rank: number,
  dims: Float64Array,
  aStrides: Float64Array,
  bStrides: Float64Array,
  aCount: number,
  bCount: number,
  count: number,
  a: Handle,
  b: Handle,
  out: Handle,
) => Pending;
type RowWise = (device: DeviceIndex, rows: number, columns: number, x: Handle, y: Handle) => Pending;
type RowWiseBackward = (
  device: DeviceIndex,
  rows: number,
  columns: number,
  y: Handle,
  yGrad: Handle,
  xGrad: Handle,
) => Pending;
type OverTime = (
  device: DeviceIndex,
  batch: number,
  time: number,
  features: number,
  timeMajor: boolean,
  steps: Int32Array,
  input: Handle,
  output: Handle,
) => Pending;
type AttentionShape = [batch: number, queries: number, time: number, lengths: HostInts];
type RegressionLoss = (
  device: DeviceIndex,
  count: number,
  reduction: number,
  delta: number,
  x: Handle,
  target: Handle,
  loss: Handle,
) => Pending;
type RegressionLossBackward = (
  device: DeviceIndex,
  count: number,
  reduction: number,
  delta: number,
  x: Handle,
  target: Handle,
  lossGrad: Handle,
  xGrad: Handle,
) => Pending;
type Updated = [
  learningRate: number,
  weightDecay: number,
  clipValue: number,
  norm: Handle,
  counts: Handle,
  parameters: Handles,
  gradients: Handles,
];
type GruSizes = [
  time: number,
  batch: number,
  inputSize: number,
  hiddenSize: number,
  layers: number,
  directions: number,
  timeMajor: boolean,
  resetBefore: boolean,
  hasBias: boolean,
];
type GruShape = [
  ...GruSizes,
  dropout: number,
  seed: Seed,
  offset: Seed,
  precision: number,
  lengths: HostInts,
  weights: Handles,
];
type StreamShape = [
  device: DeviceIndex,
  capacity: number,
  stateSize: number,
  batch: number,
  parts: number,
  length: number,
  offset: number,
];
/** Operations that were recorded, to be run on the calling thread. */
export type Program = { readonly program: unique symbol };

/**
 * The addon's functions, as native/addon exports them. Every operation of native/ops/operation_table.h is here under its own
 * name, with its arguments in the table's order; what each one computes stands there.
 */
export interface Addon {
  fill(device: DeviceIndex, count: number, value: number, out: Handle): Pending;
  randomUniform(
    device: DeviceIndex,
    count: number,
    seed: Seed,
    offset: Seed,
    low: number,
    high: number,
    out: Handle,
  ): Pending;
  randomNormal(
    device: DeviceIndex,
    count: number,
    seed: Seed,
    offset: Seed,
    mean: number,
    deviation: number,
    out: Handle,
  ): Pending;
  copy(device: DeviceIndex, count: number, x: Handle, target: Handle): Pending;
  accumulate(device: DeviceIndex, count: number, x: Handle, target: Handle): Pending;
  scale(device: DeviceIndex, count: number, factor: number, offset: number, x: Handle, out: Handle): Pending;
  tanh: Unary;
  tanhBackward: UnaryBackward;
  sigmoid: Unary;
  sigmoidBackward: UnaryBackward;
  relu: Unary;
  reluBackward: UnaryBackward;
  add: Binary;
  sub: Binary;
  mul: Binary;
  div: Binary;
  sum(
    device: DeviceIndex,
    rank: number,
    dims: Float64Array,
    outStrides: Float64Array,
    count: number,
    outCount: number,
    factor: number,
    x: Handle,
    out: Handle,
  ): Pending;
  expand(
    device: DeviceIndex,
    rank: number,
    dims: Float64Array,
    xStrides: Float64Array,
    xCount: number,
    count: number,
    factor: number,
    x: Handle,
    out: Handle,
  ): Pending;
  concat(
    device: DeviceIndex,
    outer: number,
    inner: number,
    lengths: Int32Array,
    length: number,
    parts: Handles,
    y: Handle,
  ): Pending;
  slice(
    device: DeviceIndex,
    outer: number,
    length: number,
    inner: number,
    start: number,
    taken: number,
    x: Handle,
    y: Handle,
  ): Pending;
  sliceBackward(
    device: DeviceIndex,
    outer: number,
    length: number,
    inner: number,
    start: number,
    taken: number,
    yGrad: Handle,
    xGrad: Handle,
  ): Pending;
  transpose(
    device: DeviceIndex,
    outer: number,
    m: number,
    middle: number,
    n: number,
    inner: number,
    x: Handle,
    y: Handle,
  ): Pending;
  linear(
    device: DeviceIndex,
    rows: number,
    inputSize: number,
    outputSize: number,
    precision: number,
    x: Handle,
    weight: Handle,
    bias: Handle,
    y: Handle,
  ): Pending;
  linearBackward(
    device: DeviceIndex,
    rows: number,
    inputSize: number,
    outputSize: number,
    precision: number,
    x: Handle,
    weight: Handle,
    yGrad: Handle,
    xGrad: Handle,
    weightGrad: Handle,
    biasGrad: Handle,
  ): Pending;
  matmul(
    device: DeviceIndex,
    batch: number,
    m: number,
    n: number,
    k: number,
    transposeA: boolean,
    transposeB: boolean,
    precision: number,
    a: Handle,
    b: Handle,
    c: Handle,
  ): Pending;
  embedding(
    device: DeviceIndex,
    count: number,
    vocabularySize: number,
    embeddingSize: number,
    ids: Handle,
    weight: Handle,
    y: Handle,
  ): Pending;
  embeddingBackward(
    device: DeviceIndex,
    count: number,
    vocabularySize: number,
    embeddingSize: number,
    paddingIndex: number,
    ids: Handle,
    yGrad: Handle,
    weightGrad: Handle,
  ): Pending;
  layerNorm(
    device: DeviceIndex,
    rows: number,
    columns: number,
    epsilon: number,
    x: Handle,
    weight: Handle,
    bias: Handle,
    y: Handle,
    mean: Handle,
    rstd: Handle,
  ): Pending;
  layerNormBackward(
    device: DeviceIndex,
    rows: number,
    columns: number,
    x: Handle,
    weight: Handle,
    mean: Handle,
    rstd: Handle,
    yGrad: Handle,
    xGrad: Handle,
    weightGrad: Handle,
    biasGrad: Handle,
  ): Pending;
  dropout(
    device: DeviceIndex,
    count: number,
    probability: number,
    seed: Seed,
    offset: Seed,
    x: Handle,
    y: Handle,
  ): Pending;
  softmax: RowWise;
  softmaxBackward: RowWiseBackward;
  logSoftmax: RowWise;
  logSoftmaxBackward: RowWiseBackward;
  gatherTime: OverTime;
  gatherTimeBackward: OverTime;
  maskedMean: OverTime;
  maskedMeanBackward: OverTime;
  maskedMax(
    device: DeviceIndex,
    batch: number,
    time: number,
    features: number,
    timeMajor: boolean,
    lengths: Int32Array,
    x: Handle,
    y: Handle,
    argmax: Handle,
  ): Pending;
  maskedMaxBackward(
    device: DeviceIndex,
    batch: number,
    time: number,
    features: number,
    timeMajor: boolean,
    argmax: Handle,
    yGrad: Handle,
    xGrad: Handle,
  ): Pending;
  mse: RegressionLoss;
  mseBackward: RegressionLossBackward;
  mae: RegressionLoss;
  maeBackward: RegressionLossBackward;
  huber: RegressionLoss;
  huberBackward: RegressionLossBackward;
  crossEntropy(
    device: DeviceIndex,
    rows: number,
    classes: number,
    reduction: number,
    ignoreIndex: number,
    labelSmoothing: number,
    logits: Handle,
    target: Handle,
    classWeights: Handle,
    loss: Handle,
    logSumExp: Handle,
    totalWeight: Handle,
  ): Pending;
  crossEntropyBackward(
    device: DeviceIndex,
    rows: number,
    classes: number,
    reduction: number,
    ignoreIndex: number,
    labelSmoothing: number,
    logits: Handle,
    target: Handle,
    classWeights: Handle,
    logSumExp: Handle,
    totalWeight: Handle,
    lossGrad: Handle,
    logitsGrad: Handle,
  ): Pending;
  ctc(
    device: DeviceIndex,
    batch: number,
    time: number,
    classes: number,
    labels: number,
    timeMajor: boolean,
    blank: number,
    reduction: number,
    zeroInfinity: boolean,
    inputLengths: Int32Array,
    targetLengths: Int32Array,
    logits: Handle,
    target: Handle,
    loss: Handle,
    logProbabilities: Handle,
    logAlpha: Handle,
    rowLosses: Handle,
  ): Pending;
  ctcBackward(
    device: DeviceIndex,
    batch: number,
    time: number,
    classes: number,
    labels: number,
    timeMajor: boolean,
    blank: number,
    reduction: number,
    zeroInfinity: boolean,
    inputLengths: Int32Array,
    targetLengths: Int32Array,
    target: Handle,
    logProbabilities: Handle,
    logAlpha: Handle,
    rowLosses: Handle,
    lossGrad: Handle,
    logitsGrad: Handle,
  ): Pending;
  binaryCrossEntropy(
    device: DeviceIndex,
    rows: number,
    columns: number,
    reduction: number,
    logits: Handle,
    target: Handle,
    weight: Handle,
    positiveWeight: Handle,
    loss: Handle,
  ): Pending;
  binaryCrossEntropyBackward(
    device: DeviceIndex,
    rows: number,
    columns: number,
    reduction: number,
    logits: Handle,
    target: Handle,
    weight: Handle,
    positiveWeight: Handle,
    lossGrad: Handle,
    logitsGrad: Handle,
  ): Pending;
  maskedSoftmax(device: DeviceIndex, ...arguments_: [...AttentionShape, x: Handle, y: Handle]): Pending;
  additiveScores(
    device: DeviceIndex,
    ...arguments_: [...AttentionShape, size: number, query: Handle, keys: Handle, scale: Handle, scores: Handle]
  ): Pending;
  additiveScoresBackward(
    device: DeviceIndex,
    ...arguments_: [
      ...AttentionShape,
      size: number,
      query: Handle,
      keys: Handle,
      scale: Handle,
      scoresGrad: Handle,
      queryGrad: Handle,
      keysGrad: Handle,
      scaleGrad: Handle,
    ]
  ): Pending;
  gradientNorm(device: DeviceIndex, clipNorm: number, gradients: Handles, norm: Handle, counts: Handle): Pending;
  clipGradients(device: DeviceIndex, clipValue: number, norm: Handle, gradients: Handles): Pending;
  sgd(
    device: DeviceIndex,
    ...arguments_: [...Updated, momentum: number, dampening: number, nesterov: boolean, velocities: Handles | null]
  ): Pending;
  rmsprop(
    device: DeviceIndex,
    ...arguments_: [
      ...Updated,
      alpha: number,
      epsilon: number,
      momentum: number,
      squares: Handles,
      averages: Handles | null,
      velocities: Handles | null,
    ]
  ): Pending;
  adagrad(
    device: DeviceIndex,
    ...arguments_: [...Updated, learningRateDecay: number, epsilon: number, squares: Handles]
  ): Pending;
  adam(
    device: DeviceIndex,
    ...arguments_: [
      ...Updated,
      beta1: number,
      beta2: number,
      epsilon: number,
      decoupled: boolean,
      averages: Handles,
      squares: Handles,
      maxima: Handles | null,
    ]
  ): Pending;
  gru(
    device: DeviceIndex,
    ...arguments_: [
      ...GruShape,
      algorithm: number,
      x: Handle,
      initialHidden: Handle,
      output: Handle,
      hidden: Handle,
      saved: Handle,
    ]
  ): Pending;
  gruBackward(
    device: DeviceIndex,
    ...arguments_: [
      ...GruShape,
      x: Handle,
      initialHidden: Handle,
      output: Handle,
      saved: Handle,
      outputGrad: Handle,
      hiddenGrad: Handle,
      xGrad: Handle,
      initialHiddenGrad: Handle,
      weightGrads: Handles | null,
    ]
  ): Pending;
  gruQuantized(
    device: DeviceIndex,
    ...arguments_: [
      ...GruSizes,
      lengths: HostInts,
      int8: boolean,
      words: Handles,
      scales: Handles,
      biases: Handles,
      x: Handle,
      initialHidden: Handle,
      output: Handle,
      hidden: Handle,
    ]
  ): Pending;
  gatherStates: (...arguments_: [...StreamShape, rows: Int32Array, states: Handle, y: Handle]) => Pending;
  scatterStates: (...arguments_: [...StreamShape, rows: Int32Array, x: Handle, states: Handle]) => Pending;

  upload(device: DeviceIndex, data: Float32Array | Int32Array, handle: Handle): void;
  divide(handle: Handle, handles: Handles, offsets: Float64Array, counts: Float64Array): void;
  write(handle: Handle, data: Float32Array | Int32Array): void;
  read(handle: Handle, data: Float32Array | Int32Array): Promise<void>;
  readSync(handle: Handle, data: Float32Array | Int32Array): void;
  release(handles: Handles): void;
  drain(device: DeviceIndex, depth: number): Promise<void> | undefined;
  pending(device: DeviceIndex): number;

  /** From now on operations are recorded instead of queued. False, and nothing happens, for a device that runs none at once. */
  startRecording(device: DeviceIndex): boolean;
  /** What was recorded, with the tensors through which a run gets its frame and state and gives its output. */
  finishRecording(frame: Handle, state: Handle, output: Handle): Program;
  abandonRecording(): void;
  /** Copies what the program reads from outside, as it is after everything queued so far; waits for it. */
  refreshProgram(program: Program): void;
  runProgram(program: Program, state: Handle, frame: Float32Array, output: Float32Array): void;

  openDevice(name: string): DeviceIndex;
  devices(): NativeDeviceReport[];
  memoryUse(device: DeviceIndex): MemoryUse;
  releaseCache(device: DeviceIndex): void;
  threads(device: DeviceIndex): number;
  setThreads(device: DeviceIndex, threads: number): void;
  /** Where the parameters of a GRU stack lie in one block: its number of elements, then the parameters' offsets. */
  gruLayout(
    device: DeviceIndex,
    inputSize: number,
    hiddenSize: number,
    layers: number,
    directions: number,
    hasBias: boolean,
  ): Float64Array;
  /** The most time steps that one `gru` of the reset-after cell takes. */
  mostGruSteps(device: DeviceIndex): number;
  /** What the device measured to choose between ways of computing, a line each. */
  choices(device: DeviceIndex): string[];
  /** Lines of `choices` to follow from now on; what is not understood is passed over. */
  followChoices(device: DeviceIndex, lines: readonly string[]): void;
  /** Ends the queues' threads: what waits is abandoned. From now on the caller's thread computes what the CPU is asked; GPUs refuse. */
  stop(): void;
  /** Crossings from JavaScript so far. */
  calls(): number;
  /** Which class native errors are made of. */
  setErrorClass(errorClass: new (code: ErrorCode, message: string) => CudnnGruError): void;
}
