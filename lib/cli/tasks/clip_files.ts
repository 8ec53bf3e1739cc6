import { dirname, resolve } from 'node:path';
import type { Clip, SpokenClip } from '../../tasks/transcription/index.js';

/** A row of a table of sounds. */
export interface ClipFile extends SpokenClip {
  /** As the table says it. */
  readonly file: string;
}

/**
 * The sounds of a CSV table: its column `file` names WAV files, from the table's folder on.
 *
 * @param speaker column that says who speaks
 * @throws CudnnGruError `ERR_DATA`, `ERR_FILE`, `ERR_FORMAT`, `ERR_UNSUPPORTED` naming the file
 */
export async function readClipFiles(path: string, speaker: string | undefined): Promise<ClipFile[]> {
  const columns = await readTextColumns(path, ['file', ...(speaker === undefined ? [] : [speaker])]);
  const { readWav } = await import('../../audio/index.js');
  const clips: ClipFile[] = [];
  for (const [i, file] of columns[0]?.entries() ?? []) {
    clips.push({ file, audio: await readWav(resolve(dirname(path), file)), speaker: columns[1]?.[i] });
  }
  return clips;
}

/** The same with what is said, in the column `text`. */
export async function readClips(path: string, speaker: string | undefined): Promise<Clip[]> {
  const [[texts = []], clips] = await Promise.all([readTextColumns(path, ['text']), readClipFiles(path, speaker)]);
  return clips.map(({ file: _, ...clip }, i) => ({ ...clip, text: texts[i] as string }));
}

async function readTextColumns(path: string, names: readonly string[]): Promise<(readonly string[])[]> {
  const { readCsv } = await import('../../data/csv.js');
  const { columns } = await readCsv(path, { text: names });
  return names.map((name) => columns.get(name) as readonly string[]);
}
