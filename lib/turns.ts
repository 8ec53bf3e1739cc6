// How long work holds the event loop at most.
const milliseconds = 4;

/** Lets the event loop go on in between long work that never waits for anything. */
export class Turns {
  #since = performance.now();

  get due(): boolean {
    return performance.now() - this.#since >= milliseconds;
  }

  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}

/** What awaits brief results in a row, and training steps, hold it together no longer. */
export const turns = new Turns();
