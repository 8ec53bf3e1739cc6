import { describe, expect, it } from 'vitest';
import { child, emulated, entry, reason, title } from './gpu.js';

// What a GPU and the libraries on it must offer, each taken away from the emulated GPU by an environment variable.
describe.skipIf(reason !== '' || !emulated)(
  title(`requirements${emulated ? '' : ' (skipped: a GPU has what it has)'}`),
  () => {
    /** Prints a result, or the error's code and message, of each expression. */
    function results(env: NodeJS.ProcessEnv, ...expressions: string[]): string[] {
      const script = `import { devices, GRU, noGrad, ones, ops, withPrecision } from ${JSON.stringify(entry)};
      const device = 'cuda';
      const bfloat16 = (fn) => withPrecision('bfloat16', () => noGrad(fn));
      const forward = (options) => new GRU({ inputSize: 2, hiddenSize: 3, device, ...options }).forward(ones([1, 4, 2], { device }));
      for (const run of [${expressions.map((expression) => `async () => ${expression}`).join()}])
        console.log(await run().catch(({ code, message }) => code + ' ' + message));`;
      const { stdout, stderr, status } = child(script, env);
      expect(stderr).toBe('');
      expect(status).toBe(0);
      return stdout.trim().split('\n');
    }
    const gru = '(await bfloat16(() => forward()).output.data()).length';
    const others = [
      '(await forward().output.data()).length',
      "(await withPrecision('float16', () => forward()).output.data()).length",
    ];
    const resetBefore = "(await bfloat16(() => forward({ variant: 'resetBefore' })).output.data()).length";
    const matmul =
      '(await bfloat16(() => ops.matmul(ones([2, 2], { device }), ones([2, 2], { device }))).data()).join()';

    it('bfloat16 of cuDNN 9.13 on compute capability 8.0', () => {
      const env = { CUDNN_GRU_EMULATED_CAPABILITY: '80', CUDNN_GRU_EMULATED_CUDNN: '91300' };
      expect(results(env, gru, resetBefore, matmul)).toEqual(['12', '12', '2,2,2,2']);
    });

    it('an older cuDNN computes no GRU in bfloat16: the error says what to do, and the device goes on', () => {
      const [refused, ...rest] = results({ CUDNN_GRU_EMULATED_CUDNN: '91204' }, gru, ...others, resetBefore, matmul);
      expect(refused).toBe(
        "ERR_UNSUPPORTED gru: cuDNN computes in 'bfloat16' from version 9.13 on, and this is 9.12.4: install a newer one; or compute in 'float16'",
      );
      expect(rest).toEqual(['12', '12', '12', '2,2,2,2']);
    });

    it('an older GPU computes no GRU in bfloat16, and where cuBLASLt refuses, its error says why', () => {
      const env = { CUDNN_GRU_EMULATED_CAPABILITY: '75' };
      const [refused, first, second, ...products] = results(env, gru, ...others, resetBefore, matmul);
      expect(refused).toMatch(
        /^ERR_UNSUPPORTED gru: cuDNN computes in 'bfloat16' from compute capability 8\.0 on, and .* has 7\.5: take a newer GPU; or compute in 'float16'$/,
      );
      expect([first, second]).toEqual(['12', '12']);
      for (const product of products)
        expect(product).toMatch(
          /^ERR_UNSUPPORTED cuBLASLt has no algorithm .* in 'bfloat16' below compute capability 8\.0: compute in 'float16'$/,
        );
    });

    it('a GPU without memory pools is not available', () => {
      const lines = results(
        { CUDNN_GRU_EMULATED_MEMORY_POOLS: '0' },
        'devices().find(({ name }) => name === "cuda:0").reason',
        'ones([1], { device })',
      );
      expect(lines[0]).toMatch(/^the GPU has no memory pools .*; use device 'cpu'$/);
      expect(lines[1]).toBe(`ERR_DEVICE_UNAVAILABLE device 'cuda:0': ${lines[0]}`);
    });

    it("an error of cuDNN comes with the condition that it names, and with a remedy where its libraries don't fit together", () => {
      const create = (status: number) => results({ CUDNN_GRU_EMULATED_CREATE: String(status) }, 'forward()')[0];
      expect(create(2000)).toMatch(
        /^ERR_INTERNAL CUDNN_STATUS_BAD_PARAM \(a condition of the stand-in\): .*cudnnCreate/,
      );
      expect(create(3000)).toMatch(/^ERR_UNSUPPORTED CUDNN_STATUS_NOT_SUPPORTED: /);
      expect(create(1002)).toMatch(/^ERR_DEVICE_UNAVAILABLE .*of two cuDNNs: name .*CUDNN_GRU_LIBRARY_PATH/);
      expect(create(1008)).toMatch(/^ERR_DEVICE_UNAVAILABLE .*missing or damaged: install all of it/);
    });
  },
);
