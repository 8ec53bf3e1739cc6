import { CudnnGruError } from '../errors.js';
import type { Handle } from '../native/addon.js';
import { addon } from '../native/load.js';

// Handles are numbers that this file hands out and takes back. Giving one back is a call into the addon, so many are given
// back at once: when there are enough of them, or when what they hold is worth it.
const flushCount = 256;
const flushElements = 4 << 20;

const free: Handle[] = [];
const releases = new Int32Array(flushCount);
let released = 0;
let releasedElements = 0;
let highest = 0;

export function newHandle(): Handle {
  return free.pop() ?? ++highest;
}

function releaseHandle(handle: Handle, count: number): void {
  releases[released++] = handle;
  releasedElements += count;
  if (released === flushCount || releasedElements >= flushElements) flushReleases();
}

/** Gives all released handles back to the addon now. */
export function flushReleases(): void {
  if (released === 0) return;
  const handles = releases.subarray(0, released);
  addon.release(handles);
  for (const handle of handles) free.push(handle);
  released = 0;
  releasedElements = 0;
}

/**
 * A tensor's native memory, counted: each tensor that sees it holds one reference, and so does the tape for as long as a gradient
 * rule needs the numbers. The last reference gives the handle back.
 */
export class Storage {
  readonly handle: Handle = newHandle();
  /** Raised by every change in place, so that the tape notices when numbers that it needs are no longer there. */
  version = 0;
  #references = 1;

  /** @param count elements of four bytes */
  constructor(readonly count: number) {}

  get references(): number {
    return this.#references;
  }

  retain(): this {
    if (this.#references === 0) throw new CudnnGruError('ERR_DISPOSED', 'a tensor was used after its dispose()');
    this.#references++;
    return this;
  }

  release(): void {
    if (this.#references === 0) throw new CudnnGruError('ERR_INTERNAL', 'a storage was released twice');
    if (--this.#references === 0) releaseHandle(this.handle, this.count);
  }
}
