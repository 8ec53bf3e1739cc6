import { checkBoolean, checkNumber, checkOptions, given, wrongKind } from '../../arguments.js';
import { type Frames, MelFrontEnd, type MelFrontEndOptions, resample } from '../../audio/index.js';
import { Batches } from '../../data/index.js';
import { CudnnGruError } from '../../errors.js';
import { ctc } from '../../losses/index.js';
import { upload } from '../../ops/result.js';
import { Generator } from '../../tensor/generator.js';
import { CharacterTokenizer } from '../../text/index.js';
import type { TrainingBatch, TrainingResult } from '../../training/types.js';
import {
  checkTraining,
  fitModel,
  type TaskTrainingOptions,
  taskTrainingOptions,
  trainingSummary,
} from '../training.js';
import { type Clip, ClipDataset, clipFeatures, fitFrames, labelCounts, normalizeClips } from './clip_dataset.js';
import { spectrogramMasks } from './masks.js';
import { evaluateTranscriber, type TranscriberEvaluation } from './transcribe.js';
import { Transcriber, type TranscriberOptions } from './transcriber.js';

/** What `trainTranscriber` takes: the sounds, the model, the training. */
export interface TrainTranscriberOptions
  extends Omit<TranscriberOptions, 'inputSize' | 'vocabularySize' | 'device' | 'generator'>,
    TaskTrainingOptions {
  /** Sounds to learn from, all of one sample rate. */
  clips: readonly Clip[];
  /** Sounds that choose the epoch that is kept. Default: none. */
  validation?: readonly Clip[];
  /** Sounds that have no part in the training. Default: none. */
  test?: readonly Clip[];
  /** How sound becomes features. Default: as `MelFrontEnd` at the sample rate of the clips. */
  frontEnd?: Omit<MelFrontEndOptions, 'sampleRate'>;
  /** Hide stretches of time and of frequency in training, other ones each time (SpecAugment, Park et al. 2019). Default: true. */
  masking?: boolean;
  /** Learn from each clip at these speeds (Ko et al. 2015). Default: [1]. */
  speeds?: readonly number[];
  /** Passes over the clips. Default: 40. */
  epochs?: number;
  /** Clips per step. Default: 16. */
  batchSize?: number;
}

const optionNames = [
  'clips',
  'validation',
  'test',
  'frontEnd',
  'masking',
  'speeds',
  'stacking',
  'hiddenSize',
  'numLayers',
  'bidirectional',
  'dropout',
  ...taskTrainingOptions,
];

/** A trained transcriber. */
export interface TrainedTranscriber {
  /** With its tokens and the front end's settings in `preprocessing`: ready for `saveModel` and `transcribe`. */
  model: Transcriber;
  result: TrainingResult;
  /** On the test clips, without a search; null without them, and when the training was aborted. */
  evaluation: TranscriberEvaluation | null;
}

/**
 * Trains a `Transcriber` on sounds and what is said in them, character by character, with the CTC loss, and keeps the epoch that is best on the
 * validation clips. Features are logarithmic mel bands with mean 0 and variance 1: of each speaker where clips say who speaks, else of all training
 * clips. AdamW with a one-cycle schedule, gradients clipped to norm 1; clips of similar length share batches.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a sound that is too short for its text, or has another sample rate; what
 * `Trainer.fit` throws
 */
export async function trainTranscriber(options: TrainTranscriberOptions): Promise<TrainedTranscriber> {
  checkOptions(options, 'options', optionNames);
  const training = checkTraining(options, { epochs: 40, batchSize: 16 });
  const { batchSize, seed, device } = training;
  const clips = checkClips(options.clips, 'clips');
  const [held, test] = [
    options.validation && checkClips(options.validation, 'validation'),
    options.test && checkClips(options.test, 'test'),
  ];
  const masking = checkBoolean(options.masking ?? true, 'masking');
  const spoken = await atSpeeds(clips, options.speeds ?? [1]);
  const { settings } = new MelFrontEnd({ ...options.frontEnd, sampleRate: clips[0]?.audio?.sampleRate as number });
  const features = await clipFeatures(spoken, settings);
  const heldFeatures = held && (await clipFeatures(held, settings, 'validation'));
  const tokenizer = CharacterTokenizer.of(clips.map(({ text }) => text));
  const scaler = fitFrames(features);
  const { stacking, hiddenSize, numLayers, bidirectional, dropout } = options;
  const model = new Transcriber({
    inputSize: settings.bands,
    vocabularySize: tokenizer.vocabularySize,
    ...given({ stacking, hiddenSize, numLayers, bidirectional, dropout }),
    device,
    generator: new Generator(seed),
  });
  model.preprocessing = {
    task: 'transcribe',
    tokens: tokenizer.toJSON(),
    frontEnd: { ...settings },
    scaler: { ...scaler.toJSON() },
  };
  const dataset = (list: readonly Clip[], own: readonly Frames[]) => {
    const texts = list.map(({ text }) => text);
    const labels = texts.map((text) => tokenizer.encode(text));
    return new ClipDataset(normalizeClips(own, list, scaler), labels, texts, model.stacking);
  };
  const data = new Batches(dataset(spoken, features), { batchSize, shuffle: true, seed, bucketSize: 16 });
  const fit = {
    model,
    loss: ({ inputs, targets, lengths, batch }: TrainingBatch) => {
      let x = inputs;
      if (masking && model.training) {
        const shape = x.shape as [number, number, number];
        const { epoch, batch: done } = data.position();
        const masks = spectrogramMasks(shape, lengths as Int32Array, seed, epoch * data.batchesPerEpoch + done);
        x = x.mul(upload(masks, shape, x.on));
      }
      const { logits, lengths: inputLengths } = model.forward(x, { lengths });
      return ctc(logits, targets, { inputLengths, targetLengths: labelCounts(batch.targets) });
    },
    data,
    ...(held &&
      heldFeatures && { validation: new Batches(dataset(held, heldFeatures), { batchSize: 16, bucketSize: 16 }) }),
    training,
  };
  return fitModel(fit, async (result) => {
    const evaluation = test && result.stopped !== 'aborted' ? await evaluateTranscriber(model, test) : null;
    const seconds = clips.reduce((sum, { audio }) => sum + audio.samples.length / audio.sampleRate, 0);
    model.summary = {
      clips: clips.length,
      secondsOfSound: Math.round(seconds),
      ...trainingSummary(training, result),
      test: evaluation && {
        characterErrorRate: evaluation.characters.tokenErrorRate,
        wordErrorRate: evaluation.words.tokenErrorRate,
      },
    };
    return { model, result, evaluation };
  });
}

function checkClips(clips: unknown, name: string): readonly Clip[] {
  if (!Array.isArray(clips)) throw wrongKind(name, 'an array of { audio, text }', clips);
  if (clips.length === 0) throw new CudnnGruError('ERR_DATA', `${name}: there is no clip`);
  for (const [i, clip] of clips.entries()) {
    if (typeof clip?.text !== 'string') throw wrongKind(`${name}[${i}].text`, 'a string', clip?.text);
  }
  return clips as Clip[];
}

// Every clip at every speed: at speed 2 it takes half the time and sounds an octave higher.
async function atSpeeds(clips: readonly Clip[], speeds: readonly number[]): Promise<readonly Clip[]> {
  if (!Array.isArray(speeds) || speeds.length === 0) throw wrongKind('speeds', 'an array of numbers', speeds);
  const all: Clip[] = [];
  for (const [i, speed] of speeds.entries()) {
    checkNumber(speed, `speeds[${i}]`, { min: 0.25, max: 4 });
    for (const clip of clips) {
      if (speed === 1) all.push(clip);
      else {
        const { samples, sampleRate } = clip.audio;
        const slower = await resample({ samples, sampleRate: Math.round(sampleRate * speed) }, sampleRate);
        all.push({ ...clip, audio: slower });
      }
    }
  }
  return all;
}
