import { saveModel, startServer } from 'cudnn-gru';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { inferenceRequest, numbers, post, predicted, smallModel } from './run_server.js';

const inFolder = temporaryFolder();

describe('startServer', () => {
  it('serves inside a program, several at once, and again after close', async () => {
    const model = smallModel(1);
    await saveModel(inFolder('model.safetensors'), model);
    const options = { models: { model: inFolder('model.safetensors') }, port: 0, logLevel: 'silent' } as const;
    const x = numbers(6);
    const expected = { outputs: [{ data: Array.from(predicted(model, x, [1, 2, 3])) }] };
    for (let round = 0; round < 3; round++) {
      const servers = await Promise.all([startServer(options), startServer(options)]);
      for (const { url } of servers) {
        const { json } = await post(`${url}/v2/models/model/infer`, inferenceRequest(x, [1, 2, 3]));
        expect(json).toMatchObject(expected);
      }
      await Promise.all(servers.map((server) => server.close()));
      await servers[0].close();
    }
  });

  it('names what is wrong with its options', async () => {
    const models = { model: inFolder('none.safetensors') };
    await expect(startServer({ models: {} })).rejects.toThrow(/models: expected at least one model/);
    await expect(startServer({ models: { '../x': 'a' } })).rejects.toThrow(/models: expected names of letters/);
    await expect(startServer({ models, maxBatch: 0 })).rejects.toThrow(/maxBatch: expected an integer >= 1/);
    await expect(startServer({ models, prot: 1 } as never)).rejects.toThrow(
      /unknown option "prot" \(did you mean "port"/,
    );
    await expect(startServer({ models, logLevel: 'silent' })).rejects.toMatchObject({ code: 'ERR_FILE' });
  });

  it('an address that is taken is an error, and leaves nothing running', async () => {
    await saveModel(inFolder('model.safetensors'), smallModel(1));
    const models = { model: inFolder('model.safetensors') };
    const first = await startServer({ models, port: 0, logLevel: 'silent' });
    const port = Number(new URL(first.url).port);
    await expect(startServer({ models, port, logLevel: 'silent' })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();
  });
});
