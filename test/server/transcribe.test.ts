import { saveModel, tasks } from 'cudnn-gru';
import { beforeAll, describe, expect, it } from 'vitest';
import { wavBytes } from '../audio/wav_bytes.js';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { spoken, spokenTexts } from '../tasks/spoken.js';
import { post, serve } from './run_server.js';
import { liveStream } from './web_socket.js';

const inFolder = temporaryFolder();
let model: tasks.Transcriber;
beforeAll(async () => {
  // As much as gives texts that differ; how well it hears is not the subject.
  const sizes = { hiddenSize: 24, numLayers: 1, frontEnd: { bands: 20 }, masking: false };
  const training = { epochs: 20, batchSize: 8, learningRate: 0.02, seed: 3 };
  ({ model } = await tasks.trainTranscriber({ clips: spokenTexts(24), ...sizes, ...training }));
  const forwards = { ...sizes, bidirectional: false };
  const live = await tasks.trainTranscriber({ clips: spokenTexts(24), ...forwards, ...training });
  await saveModel(inFolder('live.safetensors'), live.model);
  await saveModel(inFolder('tones.safetensors'), model);
  await saveModel(inFolder('bare.safetensors'), new tasks.Transcriber({ inputSize: 20, vocabularySize: 9 }));
});

/** A WAV file of 32-bit floats, so that the sound arrives as it is. */
const wav = ({ audio: { samples, sampleRate } }: tasks.SpokenClip) =>
  wavBytes(samples, { sampleRate, bits: 32, float: true });

async function send(url: string, body: Buffer | string, type = 'audio/wav') {
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': type } });
  return { status: response.status, json: (await response.json()) as never };
}

describe('/transcribe', () => {
  it('gives what transcribe finds, for many at once', async () => {
    const { url } = await serve([inFolder('tones.safetensors'), inFolder('bare.safetensors')]);
    const clips = spokenTexts(10, 500);
    for (const [query, options] of [
      ['', {}],
      ['?width=6&nBest=3&model=tones', { width: 6, nBest: 3 }],
    ] as const) {
      const answers = await Promise.all(clips.map((clip) => send(`${url}/transcribe${query}`, wav(clip))));
      for (const [i, clip] of clips.entries()) {
        const [found] = await tasks.transcribe(model, [clip], options);
        const transcripts = found?.map(({ tokens: _, ...transcript }) => transcript);
        const seconds = clip.audio.samples.length / 8000;
        expect(answers[i]).toEqual({ status: 200, json: { model: 'tones', seconds, transcripts } });
      }
    }
    const texts = await Promise.all(clips.map(async (clip) => (await tasks.transcribe(model, [clip]))[0]?.[0]?.text));
    expect(new Set(texts).size).toBeGreaterThan(5);
  });

  it('stereo and integers are sounds as well', async () => {
    const { url } = await serve([inFolder('tones.safetensors')]);
    const { samples } = spoken('abba', 7).audio;
    const both = Array.from({ length: 2 * samples.length }, (_, i) => samples[i >> 1] as number);
    const [mono, stereo] = await Promise.all(
      [wavBytes(samples), wavBytes(both, { channels: 2 })].map((body) =>
        send(`${url}/transcribe`, body, 'audio/x-wav'),
      ),
    );
    expect(mono?.status).toBe(200);
    expect(stereo).toEqual(mono);
  });

  it('names what is wrong with a sound, and goes on', async () => {
    const { url } = await serve([inFolder('tones.safetensors'), '--max-steps', '50', '--max-body', '200000']);
    const good = wav(spoken('ab', 1));
    const noise = (length: number) => ({ audio: { samples: new Float32Array(length).fill(0.1), sampleRate: 8000 } });
    const tooQuick = wav({ audio: { ...spoken('ab', 1).audio, sampleRate: 16_000 } });
    const wrong = Buffer.from(good);
    wrong.writeFloatLE(Number.NaN, 44 + 4 * 9);
    const compressed = Buffer.from(good);
    compressed.writeUInt16LE(7, 20);
    const cases: [Buffer, number, string, RegExp][] = [
      [Buffer.alloc(0), 400, 'ERR_OUT_OF_RANGE', /body: expected a WAV file, got nothing/],
      [Buffer.from('RIFF'), 400, 'ERR_FORMAT', /body: it is too short for a WAV file/],
      [Buffer.from('{"samples": [1, 2, 3]}'), 400, 'ERR_FORMAT', /body: it is no WAV file/],
      [good.subarray(0, -100), 400, 'ERR_FORMAT', /body: .*truncated/],
      [compressed, 400, 'ERR_UNSUPPORTED', /body: sound as µ-law cannot be read/],
      [wrong, 400, 'ERR_FORMAT', /body: sample 9 is no finite number/],
      [wavBytes([]), 400, 'ERR_FORMAT', /body: it has no sound/],
      [wav(noise(128)), 400, 'ERR_DATA', /128 samples; at least 129 are needed/],
      [tooQuick, 400, 'ERR_DATA', /16000 samples per second; 8000 are needed/],
      // 50 steps of three frames of 10 ms.
      [wav(noise(12_001)), 400, 'ERR_OUT_OF_RANGE', /body: a sound of 1.5 s; 1.5 s are allowed/],
      [wav(noise(80_000)), 413, 'FST_ERR_CTP_BODY_TOO_LARGE', /too large/],
    ];
    for (const [body, status, code, error] of cases) {
      expect(await send(`${url}/transcribe`, body), String(error)).toEqual({
        status,
        json: expect.objectContaining({ code, error: expect.stringMatching(error) }),
      });
    }
    expect(await send(`${url}/transcribe`, wav(noise(12_000)))).toMatchObject({ status: 200 });
    expect(await send(`${url}/transcribe`, good)).toMatchObject({ status: 200 });
  });

  it('names what is wrong with a request', async () => {
    const { url } = await serve([inFolder('tones.safetensors'), inFolder('bare.safetensors')]);
    const good = wav(spoken('ab', 1));
    const cases: [string, RegExp][] = [
      ['width=0', /width: expected an integer >= 1 and <= 64, got 0/],
      ['width=65', /width/],
      ['width=two', /querystring\/width must match pattern/],
      ['nBest=2', /nBest: expected an integer >= 1 and <= 1, got 2/],
      ['beam=2', /querystring must NOT have additional properties/],
      ['model=bare', /"bare" is not made to transcribe/],
    ];
    for (const [query, error] of cases) {
      expect(await send(`${url}/transcribe?${query}`, good), query).toMatchObject({
        status: 400,
        json: { error: expect.stringMatching(error) },
      });
    }
    expect(await send(`${url}/transcribe?model=none`, good)).toMatchObject({ status: 404 });
    expect(await post(`${url}/transcribe`, { texts: ['a'] })).toMatchObject({ status: 415 });
  });

  it('the API pages say what it takes', async () => {
    const { url } = await serve([inFolder('tones.safetensors')]);
    const { paths } = (await (await fetch(`${url}/docs/json`)).json()) as never as { paths: Record<string, never> };
    expect(paths['/transcribe']).toMatchObject({
      post: {
        requestBody: { content: { 'audio/wav': {} } },
        parameters: expect.arrayContaining([expect.objectContaining({ name: 'width', in: 'query' })]),
      },
    });
  });

  it('the logits of frames, by the Open Inference Protocol', async () => {
    const { url } = await serve([inFolder('bare.safetensors')]);
    const data = Array.from({ length: 2 * 60 }, (_, i) => Math.sin(i));
    const body = { inputs: [{ name: 'input', shape: [1, 2, 60], datatype: 'FP32', data }] };
    const { status, json } = await post(`${url}/v2/models/bare/infer`, body);
    expect([status, (json as { outputs: [{ shape: number[] }] }).outputs[0].shape]).toEqual([200, [1, 2, 9]]);
  });
});

describe('live captions', () => {
  it('grow while the sound is sent, and end as the text of the whole', async () => {
    const { url } = await serve([inFolder('live.safetensors')]);
    await Promise.all(
      spokenTexts(4, 600).map(async (clip, i) => {
        const { samples } = clip.audio;
        const { json } = await send(`${url}/transcribe`, wav(clip));
        const [whole] = (json as { transcripts: { text: string; confidence: number }[] }).transcripts;
        const { socket, ask } = await liveStream(url, 'live');
        // The second time after a reset, and after an end.
        for (let round = 0; round < 3; round++) {
          let text = '';
          for (let start = 0; start < samples.length; start += 700 + i) {
            const piece = samples.slice(start, start + 700 + i);
            const answer = (await ask(round ? piece : { frame: Array.from(piece) })) as { text: string };
            expect(answer.text.startsWith(text)).toBe(true);
            ({ text } = answer);
          }
          expect(text.length).toBeGreaterThan(0);
          if (round === 0) expect(await ask({ reset: true })).toEqual({});
          else expect(await ask({ end: true })).toEqual({ text: whole?.text, confidence: whole?.confidence });
        }
        expect(await ask({ end: true })).toMatchObject({ error: expect.stringMatching(/0 samples/) });
        expect(await ask(Float32Array.of(0.1, Number.NaN))).toMatchObject({
          error: expect.stringMatching(/frame\[1\]/),
        });
        expect(await ask({ save: true })).toMatchObject({ error: expect.stringMatching(/of a transcriber/) });
        expect(await ask(samples.slice(0, 10))).toMatchObject({ text: '' });
        socket.close();
      }),
    );
  });

  it.each(['end', 'reset'])('%s begins anew, and what was sent before without waiting is answered', async (word) => {
    const { url } = await serve([inFolder('live.safetensors')]);
    const [clip] = spokenTexts(1, 620) as [tasks.Clip];
    const { socket, next } = await liveStream(url, 'live');
    const rounds: unknown[][] = [];
    for (let round = 0; round < 2; round++) {
      for (let start = 0; start < 8000; start += 800) {
        socket.send(Buffer.from(clip.audio.samples.slice(start, start + 800).buffer));
      }
      socket.send(JSON.stringify({ [word]: true }));
    }
    for (let round = 0; round < 2; round++) {
      const answers: unknown[] = [];
      for (let i = 0; i < 11; i++) answers.push(JSON.parse((await next()) as string));
      rounds.push(answers);
    }
    for (const answer of rounds.flat()) expect(answer).not.toHaveProperty('error');
    expect(rounds[0]?.[9]).toMatchObject({ text: expect.stringMatching(/./) });
    expect(rounds[1]).toEqual(rounds[0]);
    socket.close();
  });

  it('a piece that is too long is refused, and a sound of more steps than are allowed', async () => {
    // 500 steps of three frames of 10 ms.
    const { url } = await serve([inFolder('live.safetensors'), '--max-steps', '500']);
    const { socket, ask } = await liveStream(url, 'live');
    const noise = (length: number) => new Float32Array(length).fill(0.1);
    expect(await ask(noise(80_001))).toEqual({
      code: 'ERR_OUT_OF_RANGE',
      error: 'frame: expected at most 80000 samples (10 s), got Float32Array of 80001',
    });
    for (let round = 0; round < 2; round++) {
      expect(await ask(noise(80_000))).toHaveProperty('text');
      expect(await ask(noise(48_000))).toEqual({
        code: 'ERR_OUT_OF_RANGE',
        error: 'frame: a sound of 16.0 s; 15.0 s are allowed ("maxSteps"): send "end" and go on with the next',
      });
      // As if it had not come.
      expect(await ask(noise(40_000))).toHaveProperty('text');
      expect(await ask(noise(1))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
      expect(await ask(round ? { reset: true } : { end: true })).not.toHaveProperty('error');
    }
    expect(await ask(noise(80_000))).toHaveProperty('text');
    socket.close();
  });

  it('a bidirectional model has none', async () => {
    const { url } = await serve([inFolder('tones.safetensors')]);
    const { closed } = await liveStream(url, 'tones');
    expect(await closed).toMatchObject({ code: 1008, reason: expect.stringMatching(/bidirectional/) });
  });
});
