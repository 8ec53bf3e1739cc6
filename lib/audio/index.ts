// Exported to users as `audio`.
export { type Frames, MelFrontEnd, type MelFrontEndOptions, type MelSettings } from './mel_front_end.js';
export { MelStream } from './mel_stream.js';
export { resample } from './resample.js';
export { type Audio, readWav } from './wav.js';
