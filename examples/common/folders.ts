import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder examples/; this file runs as examples/dist/common/folders.js. */
export const examplesFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Where an example leaves what it makes. */
export function outputFolder(example: string): string {
  const folder = `${examplesFolder}output/${example}/`;
  mkdirSync(folder, { recursive: true });
  return folder;
}
