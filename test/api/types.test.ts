import { describe, expectTypeOf, it } from 'vitest';
import {
  type Adam,
  type DeviceName,
  type DType,
  type data,
  GRU,
  type GRUOptions,
  Linear,
  losses,
  type Module,
  type OptimizerReport,
  ops,
  type Tensor,
  type TensorData,
  type Trainer,
  type TrainingResult,
  tensor,
} from '../../lib/index.js';

// Checked by the compiler (npm run typecheck); at run time these only show that the names exist.
describe('types', () => {
  it('Tensor', () => {
    const x = tensor([1, 2]);
    expectTypeOf(x).toEqualTypeOf<Tensor>();
    expectTypeOf(x.shape).toEqualTypeOf<readonly number[]>();
    expectTypeOf(x.dtype).toEqualTypeOf<DType>();
    expectTypeOf(x.device).toEqualTypeOf<DeviceName>();
    expectTypeOf(x.grad).toEqualTypeOf<Tensor | null>();
    expectTypeOf(x.data).returns.toEqualTypeOf<Promise<TensorData>>();
    expectTypeOf(x.item).returns.toEqualTypeOf<Promise<number>>();
    expectTypeOf(x.itemSync).returns.toEqualTypeOf<number>();
    expectTypeOf(x.backward).returns.toEqualTypeOf<void>();
    expectTypeOf(x).toExtend<Disposable>();
  });

  it('GRU', () => {
    const gru = new GRU({ inputSize: 1, hiddenSize: 2 });
    expectTypeOf(gru).toExtend<Module>();
    expectTypeOf(gru.forward).parameter(0).toEqualTypeOf<Tensor>();
    expectTypeOf(gru.forward).returns.toEqualTypeOf<{ output: Tensor; hidden: Tensor }>();
    expectTypeOf(gru.weight_ih_l0).toEqualTypeOf<Tensor | undefined>();
    expectTypeOf(gru.namedParameters).returns.toEqualTypeOf<Iterable<[string, Tensor]>>();
    expectTypeOf<GRUOptions['variant']>().toEqualTypeOf<'resetAfter' | 'resetBefore' | undefined>();
    // @ts-expect-error hiddenSize is required
    expectTypeOf<GRUOptions>().toEqualTypeOf<{ inputSize: number }>();
  });

  it('operations, losses, optimizers, training', () => {
    expectTypeOf(ops.gru).returns.toEqualTypeOf<ops.GruResult>();
    expectTypeOf(losses.crossEntropy).returns.toEqualTypeOf<Tensor>();
    expectTypeOf(new Linear({ inputSize: 1, outputSize: 1 }).bias).toEqualTypeOf<Tensor | null>();
    expectTypeOf<InstanceType<typeof Adam>['step']>().returns.toEqualTypeOf<Promise<void>>();
    expectTypeOf<InstanceType<typeof Adam>['report']>().returns.toEqualTypeOf<Promise<OptimizerReport>>();
    expectTypeOf<InstanceType<typeof Trainer>['fit']>().returns.toEqualTypeOf<Promise<TrainingResult>>();
    expectTypeOf<data.Batches>().toExtend<data.BatchSource>();
  });
});
