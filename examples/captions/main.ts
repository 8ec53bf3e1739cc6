// Live captions: telephone prompts to text while they are spoken, with a stack of GRUs that reads forwards only.
import { type audio, progressDisplay, saveModel, tasks } from 'cudnn-gru';
import { outputFolder } from '../common/folders.js';
import { exampleOptions } from '../common/options.js';
import { promptTraining, readPromptParts } from '../speech/prompts.js';

const { short, seed, resume } = exampleOptions();
const output = outputFolder('captions');

// 1. The data and the training are those of the example `speech`, but for the direction.
const { train, validation, test } = await readPromptParts(short ? 60 : undefined);
const display = await progressDisplay();
const { model, result } = await tasks.trainTranscriber({
  clips: train,
  validation,
  bidirectional: false,
  hiddenSize: short ? 48 : 256,
  ...promptTraining(short),
  seed,
  checkpoint: `${output}checkpoint.safetensors`,
  resume,
  onProgress: display.onProgress,
  onEpoch: display.onEpoch,
});
display.stop();
console.log(
  `Trained for ${result.steps} steps in ${result.seconds.toFixed(0)} s; epoch ${result.bestEpoch} was the best.\n`,
);

// 2. The sound comes in pieces of a tenth of a second, each when the one before is answered.
function* pieces({ samples, sampleRate }: audio.Audio): Generator<audio.Audio> {
  const size = sampleRate / 10;
  for (let start = 0; start < samples.length; start += size)
    yield { samples: samples.subarray(start, start + size), sampleRate };
}

async function play(clip: tasks.Clip, options: tasks.TranscriptionStreamOptions, show: boolean) {
  const stream = new tasks.TranscriptionStream(model, options);
  const milliseconds: number[] = [];
  let [text, revised, seconds] = ['', 0, 0];
  const timed = async (answer: () => Promise<tasks.LiveTranscript>) => {
    const begin = performance.now();
    const heard = await answer();
    milliseconds.push(performance.now() - begin);
    if (!heard.text.startsWith(text)) revised++;
    if (show && heard.text !== text) console.log(`${seconds.toFixed(1).padStart(6)} s  ${heard.text}`);
    ({ text } = heard);
    return heard;
  };
  for (const piece of pieces(clip.audio)) {
    seconds += 0.1;
    await timed(() => stream.push(piece));
  }
  return { transcript: await timed(() => stream.end()), milliseconds, revised };
}

// 3. The held-out prompts: how good, how late, and whether it is what the whole sound gives. The weights of the search are those of `speech`.
const languageModel = tasks.transcriptLanguageModel(
  model,
  train.map(({ text }) => text),
);
const methods: [string, tasks.TranscriptionStreamOptions][] = [
  ['greedy', {}],
  ['prefix beam search of width 8', { width: 8 }],
  ['the same with 6-grams', { width: 8, languageModel, languageModelWeight: 0.9, labelBonus: 2.1 }],
];
const shown = test.filter(({ text }) => text.length > 30).slice(0, 2);
const lines: string[] = [];
for (const [name, options] of methods) {
  const { characters, words, transcripts } = await tasks.evaluateTranscriber(model, test, options);
  const milliseconds: number[] = [];
  let [same, revised] = [0, 0];
  for (const [i, clip] of test.entries()) {
    const played = await play(clip, options, name === 'greedy' && shown.includes(clip));
    milliseconds.push(...played.milliseconds);
    revised += played.revised;
    const whole = transcripts[i];
    if (played.transcript.text === whole?.text && played.transcript.score === whole.score) same++;
  }
  milliseconds.sort((a, b) => a - b);
  const at = (share: number) => (milliseconds[Math.ceil(share * milliseconds.length) - 1] as number).toFixed(2);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  lines.push(
    `${name}: character error rate ${percent(characters.tokenErrorRate)}, word error rate ${percent(words.tokenErrorRate)}`,
    `  ${same} of ${test.length} prompts end with the text and score of the whole sound; ${revised} of ${milliseconds.length} answers revise the one before`,
    `  milliseconds for 0.1 s of sound: 50 % ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, most ${at(1)}`,
  );
}
console.log(`\n${lines.join('\n')}`);
await saveModel(`${output}model.safetensors`, model);
console.log(`\nmodel: ${output}model.safetensors`);
model.dispose();
