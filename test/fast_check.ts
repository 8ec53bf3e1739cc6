import * as fc from 'fast-check';

// The same inputs in every run, so that a test that passes passes again; `npm run fuzz` draws others, and says which.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env.CUDNN_GRU_FUZZ_SEED ?? 20260101) });

export { fc };
