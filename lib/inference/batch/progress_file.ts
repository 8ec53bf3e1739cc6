import { createHash } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { writeFileAtomically } from '../../formats/files.js';
import type { Module } from '../../layers/module.js';
import type { RowFormatState } from './sinks.js';
import type { SourcePosition } from './source.js';

/** How far a prediction of a file has come: what a later process needs to go on where the output on the disk ends. */
export interface Progress {
  /** What the output depends on; of another identity it is begun anew. */
  readonly identity: Readonly<Record<string, unknown>>;
  readonly done: boolean;
  readonly position: SourcePosition;
  /** Good rows in the output. */
  readonly rows: number;
  readonly badRows: number;
  /** Bytes of the output and of the file of bad rows. */
  readonly bytes: number;
  readonly errorBytes: number;
  readonly format: RowFormatState;
}

export function progressPath(output: string): string {
  return `${output}.progress`;
}

/** What an earlier process left for this identity; undefined if it left nothing that can be gone on with. */
export async function readProgress(output: string, identity: Progress['identity']): Promise<Progress | undefined> {
  try {
    const found = JSON.parse(await readFile(progressPath(output), 'utf8')) as Progress;
    return JSON.stringify(found.identity) === JSON.stringify(identity) ? found : undefined;
  } catch {
    return undefined; // not there, or not ours
  }
}

export async function writeProgress(output: string, progress: Progress): Promise<void> {
  await writeFileAtomically(progressPath(output), async (file) => {
    await file.writeFile(JSON.stringify(progress));
  });
}

export async function removeProgress(output: string): Promise<void> {
  await unlink(progressPath(output)).catch(() => undefined);
}

/** Tells models apart: by their architecture and every parameter. */
export async function modelDigest(model: Module): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(model.architecture()));
  for (const [name, { data, shape }] of Object.entries(await model.stateDict())) {
    hash.update(`${name}${shape}`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
