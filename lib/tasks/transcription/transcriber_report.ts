import { MelFrontEnd } from '../../audio/index.js';
import type { Clip } from './clip_dataset.js';
import type { TrainedTranscriber } from './train_transcriber.js';
import { type Transcript, transcribe, transcriberPreprocessingOf } from './transcribe.js';

// Pictures of a report, and the most seconds that one holds.
const shownClips = 4;
const shownSeconds = 8;

/**
 * Writes one self-contained HTML file about a training: error rates, spectrograms with what was heard below them, transcripts beside the texts, loss
 * curves, the configuration.
 *
 * @param clips the test clips that `trained.evaluation` is about; none without an evaluation
 * @throws CudnnGruError `ERR_FILE`; as `transcribe`
 */
export async function writeTranscriberReport(
  path: string,
  { model, result, evaluation }: TrainedTranscriber,
  clips: readonly Clip[] = [],
  options: { title?: string } = {},
): Promise<void> {
  const { frontEnd } = transcriberPreprocessingOf(model);
  const mel = new MelFrontEnd(frontEnd);
  const secondsOf = ({ audio }: Clip) => audio.samples.length / audio.sampleRate;
  const longest = clips.filter((clip) => secondsOf(clip) <= shownSeconds).sort((a, b) => secondsOf(b) - secondsOf(a));
  const shown = longest.slice(0, shownClips);
  const heard = await transcribe(model, shown);
  const pictures = [];
  for (const [i, clip] of shown.entries()) {
    pictures.push({
      spectrogram: (await mel.logMel(clip.audio)).data,
      bands: frontEnd.bands,
      seconds: secondsOf(clip),
      text: clip.text,
      heard: wordsOf(heard[i]?.[0]),
    });
  }
  const { writeTranscriptionReport } = await import('../../report/index.js');
  await writeTranscriptionReport(path, {
    title: options.title ?? 'Transcription of speech',
    configuration: { model: model.architecture().options, frontEnd, training: model.summary },
    history: result.history,
    measured: evaluation && {
      clips: evaluation.transcripts.length,
      characterErrorRate: evaluation.characters.tokenErrorRate,
      wordErrorRate: evaluation.words.tokenErrorRate,
      wrongClips: Math.round(evaluation.words.sequenceErrorRate * evaluation.transcripts.length),
      transcripts: evaluation.transcripts.map(({ text }, i) => ({ text: clips[i]?.text ?? '', heard: text })),
    },
    clips: pictures,
  });
}

// Words with the places where they begin. A token of characters is one character.
function wordsOf(transcript: Transcript | undefined): { word: string; time: number }[] {
  const words: { word: string; time: number }[] = [];
  let inside = false;
  for (const [i, character] of [...(transcript?.text ?? '')].entries()) {
    if (/\s/.test(character)) inside = false;
    else if (inside) (words.at(-1) as { word: string }).word += character;
    else {
      words.push({ word: character, time: transcript?.times?.[i] ?? 0 });
      inside = true;
    }
  }
  return words;
}
