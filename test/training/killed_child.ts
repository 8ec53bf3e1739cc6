// Trains with a checkpoint every 3 steps, resuming where there is one, and prints the bits that it ends with.
import { bitsOf, problem } from './problem.js';

const it = problem({ checkpoint: process.argv[2] as string, checkpointEvery: 3, epochs: 10 });
await it.trainer.fit({ resume: await it.trainer.canResume() });
process.stdout.write(await bitsOf(it));
