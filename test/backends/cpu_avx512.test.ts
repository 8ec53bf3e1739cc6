import type { InstructionSet } from '../suites/backend.js';

const set: InstructionSet = 'avx512';
// Read by the addon when it opens the device, so before anything that may load it.
process.env.CUDNN_GRU_CPU = set;
const { cpuBackend } = await import('../suites/backend.js');
const { runSuites } = await import('../suites/all.js');

runSuites(cpuBackend(set));
