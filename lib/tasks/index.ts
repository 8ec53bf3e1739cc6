export * from './classification/index.js';
export * from './detection/index.js';
export * from './forecasting/index.js';
export * from './language/index.js';
export * from './transcription/index.js';
export * from './translation/index.js';
