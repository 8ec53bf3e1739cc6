import { writeFileSync } from 'node:fs';
import { loadModel, tasks } from 'cudnn-gru';
import { describe, expect, it } from 'vitest';
import { wavBytes } from '../audio/wav_bytes.js';
import { spokenTexts } from '../tasks/spoken.js';
import { cli, inFolder } from './run_cli.js';

describe('transcribe', () => {
  const train = ['train', 'transcribe', '--data', 'clips.csv', '--out', 'speech.safetensors'];
  const rows = spokenTexts(30).map(({ audio, text }, i) => {
    writeFileSync(inFolder(`${i}.wav`), wavBytes(audio.samples));
    return `${i}.wav,${text},${i % 2 ? 'anna' : 'ben'}`;
  });
  writeFileSync(inFolder('clips.csv'), `file,text,who\n${rows.join('\n')}\n`);
  writeFileSync(inFolder('texts.txt'), 'abba\ncab\nbad cab\n');

  it('trains on WAV files, writes a report, evaluates, predicts, transcribes', async () => {
    const sizes = ['--hidden-size', '24', '--layers', '1', '--bands', '20', '--no-masking', '--threads', '1'];
    const more = ['--epochs', '30', '--batch-size', '8', '--learning-rate', '0.02', '--validation', '0.2'];
    const trained = await cli([...train, ...sizes, ...more, '--report', 'speech.html', '--json', '--quiet']);
    expect(trained.stderr).toBe('');
    const { model, report, evaluation } = JSON.parse(trained.stdout);
    expect({ model, report }).toEqual({ model: 'speech.safetensors', report: 'speech.html' });
    expect(evaluation.characters.tokenErrorRate).toBeLessThan(0.2);

    const search = ['--texts', 'texts.txt', '--order', '3', '--language-weight', '0.1'];
    const evaluated = await cli(['evaluate', 'speech.safetensors', '--data', 'clips.csv', ...search]);
    expect(evaluated.stdout).toMatch(/^character error rate +\d+\.\d\d %\nword error rate/);
    const predicted = await cli(['predict', 'speech.safetensors', '--data', 'clips.csv', '--speaker', 'who']);
    expect(predicted.stdout.split('\n')[1]).toMatch(/^1\.wav\tab+a$/);
    const words = ['transcribe', 'speech.safetensors', '1.wav'];
    expect((await cli(words)).stdout).toMatch(/^ab+a\n$/);
    const { transcripts } = JSON.parse((await cli([...words, '2.wav', '--json', '--width', '4'])).stdout);
    expect(transcripts).toMatchObject([{ file: '1.wav', times: null }, { file: '2.wav' }]);
  });

  it('--no-bidirectional makes a model for live captions', async () => {
    const sizes = [
      '--hidden-size',
      '4',
      '--layers',
      '1',
      '--bands',
      '20',
      '--epochs',
      '1',
      '--threads',
      '1',
      '--quiet',
    ];
    const words = ['train', 'transcribe', '--data', 'clips.csv', '--out', 'live.safetensors', '--no-bidirectional'];
    expect((await cli([...words, ...sizes])).code).toBe(0);
    const model = await loadModel<tasks.Transcriber>(inFolder('live.safetensors'));
    expect(model.gru.bidirectional).toBe(false);
    new tasks.TranscriptionStream(model).close();
  });

  it('what cannot be is answered in a line', async () => {
    writeFileSync(inFolder('text.wav'), 'no sound but text');
    writeFileSync(inFolder('wide.wav'), wavBytes(new Float32Array(900), { sampleRate: 16000 }));
    writeFileSync(inFolder('empty.wav'), wavBytes([]));
    const told = async (words: string[], code: number, reason: RegExp) => {
      const { stderr, ...rest } = await cli(words);
      expect(rest).toEqual({ code, stdout: '' });
      expect(stderr).toMatch(reason);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    };
    await told(['transcribe', 'speech.safetensors', 'text.wav'], 1, /text\.wav: it is no WAV file/);
    await told(['transcribe', 'speech.safetensors', 'wide.wav'], 1, /16000 samples per second; 8000 are needed/);
    await told(['transcribe', 'speech.safetensors', 'empty.wav'], 1, /empty\.wav: it has no sound/);
    await told(['transcribe', 'speech.safetensors'], 2, /no WAV file is given/);
    await told(['transcribe', 'speech.safetensors', '1.wav', '--order', '3'], 2, /--order is for --texts/);
    writeFileSync(inFolder('broken.csv'), 'file,text\nnone.wav,a\n');
    await told(['train', 'transcribe', '--data', 'broken.csv', '--out', 'x.safetensors'], 1, /none\.wav/);
    writeFileSync(inFolder('long.csv'), `file,text\n1.wav,${'ab'.repeat(60)}\n2.wav,a\n3.wav,a\n`);
    const shares = ['--validation', '0', '--test', '0'];
    await told(['train', 'transcribe', '--data', 'long.csv', '--out', 'x.safetensors', ...shares], 1, /too short for/);
  });
});
