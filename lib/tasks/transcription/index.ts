export type { Clip, SpokenClip } from './clip_dataset.js';
export {
  type TrainedTranscriber,
  type TrainTranscriberOptions,
  trainTranscriber,
} from './train_transcriber.js';
export {
  evaluateTranscriber,
  type TranscribeOptions,
  type TranscriberEvaluation,
  type Transcript,
  transcribe,
  transcriberPreprocessingOf,
} from './transcribe.js';
export { Transcriber, type TranscriberOptions } from './transcriber.js';
export { writeTranscriberReport } from './transcriber_report.js';
export { transcriptLanguageModel } from './transcript_language_model.js';
export { type LiveTranscript, TranscriptionStream, type TranscriptionStreamOptions } from './transcription_stream.js';
