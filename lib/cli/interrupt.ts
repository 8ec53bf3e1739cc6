import { exitCodes } from './command.js';

/**
 * Runs `work` with a signal that the first Ctrl-C (SIGINT) raises, so that it can end in good order; a second one ends the process as soon
 * as the operation that is being computed is done.
 */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
  };
  process.on('SIGINT', onInterrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
