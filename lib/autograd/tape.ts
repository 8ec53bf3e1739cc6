import { CudnnGruError } from '../errors.js';
import { keepFromScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { type TracedOperation, trace } from './trace.js';

type MaybeTensor = Tensor | null | undefined;
type Grads = (Tensor | null)[];
/** Where the gradient of an input goes: to the node that made it, or to the leaf that wants it. */
type Edge = { node: Node; result: number } | { leaf: Tensor };

/** One recorded operation. */
export class Node {
  grads: Grads;
  readonly #versions: readonly (number | undefined)[];

  constructor(
    /** Counts up: a node comes after everything it was computed from. */
    readonly order: number,
    readonly operation: string,
    readonly edges: readonly (Edge | null)[],
    results: number,
    private rule: ((resultGrads: Grads) => Grads) | null,
    private saved: readonly MaybeTensor[],
  ) {
    this.#versions = saved.map((tensor) => tensor?.storage.version);
    this.grads = new Array<Tensor | null>(results).fill(null);
  }

  /** Sends the gradients on to the inputs, and lets go of everything that only the tape needed. */
  run(): void {
    const { grads } = this;
    if (grads.every((grad) => grad === null)) return;
    if (!this.rule) {
      throw new CudnnGruError(
        'ERR_NO_GRADIENT',
        `backward(): the graph through ${this.operation} was already used and freed; run the forward pass again`,
      );
    }
    if (this.saved.some((tensor, index) => tensor?.storage.version !== this.#versions[index])) {
      throw new CudnnGruError(
        'ERR_NO_GRADIENT',
        `backward(): a tensor that ${this.operation} needs was changed in place (write, an optimizer's step) after the forward pass`,
      );
    }
    const inputGrads = this.rule(grads);
    this.rule = null;
    for (const tensor of this.saved) tensor?.dispose();
    this.saved = [];
    for (const [index, grad] of inputGrads.entries()) {
      const edge = this.edges[index];
      if (!grad) continue;
      if (!edge) grad.dispose();
      else if ('leaf' in edge) edge.leaf.accumulateGrad(grad);
      else edge.node.grads[edge.result] = grad.plus(edge.node.grads[edge.result] ?? null);
    }
    for (const grad of grads) grad?.dispose();
    grads.fill(null);
  }
}

let recording = true;
let nodes = 0;

/**
 * Runs `fn` without recording gradients, as inference wants it. Of an asynchronous `fn` only the part before its first `await`
 * is covered.
 */
export function noGrad<T>(fn: () => T): T {
  const before = recording;
  recording = false;
  try {
    return fn();
  } finally {
    recording = before;
  }
}

/** True if an operation on these inputs has to be recorded. */
export function needsGrad(...inputs: MaybeTensor[]): boolean {
  return recording && inputs.some((input) => input?.requiresGrad);
}

/**
 * Records an operation with one result, if one of its inputs requires a gradient; the result then requires one too.
 *
 * @param inputs in the order of the rule's answer
 * @param saved tensors whose numbers the rule reads. The tape keeps the numbers, even if the user disposes the tensors, until the
 * rule has run.
 * @param rule the gradient rule: from the result's gradient to those of the inputs, null where there is none (or none is wanted:
 * ask `requiresGrad` before). Runs with recording off. It answers with tensors of its own, which the tape takes over; a gradient
 * that is passed on as it came must be `detach()`ed.
 * @param attributes what the operation was asked besides its inputs, for who traces it
 */
export function record<const S extends readonly MaybeTensor[]>(
  operation: string,
  inputs: readonly MaybeTensor[],
  result: Tensor,
  saved: S,
  rule: (resultGrad: Tensor, saved: S) => Grads,
  attributes: TracedOperation['attributes'] = {},
): void {
  trace(operation, inputs, [result], attributes);
  recordAll(operation, inputs, [result], saved, ([resultGrad], kept) => rule(resultGrad as Tensor, kept));
}

/** As `record`, for several results and without `trace`: a result whose gradient did not arrive has null in its place. */
export function recordAll<const S extends readonly MaybeTensor[]>(
  operation: string,
  inputs: readonly MaybeTensor[],
  results: readonly Tensor[],
  saved: S,
  rule: (resultGrads: Grads, saved: S) => Grads,
): void {
  if (!needsGrad(...inputs)) return;
  const edges = inputs.map((input): Edge | null => {
    if (!input?.requiresGrad) return null;
    return input.node ? { node: input.node, result: input.nodeResult } : { leaf: input };
  });
  const kept = saved.map((tensor) => tensor && keepFromScope(tensor.detach())) as unknown as S;
  const node = new Node(nodes++, operation, edges, results.length, (grads) => rule(grads, kept), kept);
  for (const [index, result] of results.entries()) result.attach(node, index);
}

/** Runs the rules from `root` backwards; the gradients of the leaves are added to their `grad`. Takes `rootGrad` over. */
export function backward(root: Tensor, rootGrad: Tensor): void {
  const start = root.node;
  if (!start) {
    root.accumulateGrad(rootGrad);
    return;
  }
  noGrad(() => {
    start.grads[root.nodeResult] = rootGrad;
    for (const node of reachable(start)) node.run();
  });
}

function reachable(start: Node): Node[] {
  const found = new Set<Node>([start]);
  for (const node of found) {
    for (const edge of node.edges) if (edge && 'node' in edge) found.add(edge.node);
  }
  return [...found].sort((a, b) => b.order - a.order);
}
