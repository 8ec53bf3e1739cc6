import { CudnnGruError } from '../errors.js';
import type { JsonValue } from '../layers/module.js';
import { type Command, exitCodes } from './command.js';
import { columns, printJson, printText } from './output.js';

export const info: Command = {
  usage: 'info <file>',
  description: 'Show what a .safetensors file holds: model, preprocessing, training, tensors',
  options: [['--json', 'Print it as one JSON document']],
  examples: ['info model.safetensors'],

  async run([path], options) {
    const { openSafetensors } = await import('../formats/safetensors.js');
    const file = await openSafetensors(path as string);
    try {
      const metadata = Object.entries(file.metadata).map(
        ([name, text]) => [name, parse(path as string, text)] as const,
      );
      const tensors = Array.from(file.entries, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
      const parameters = tensors.reduce(
        (sum, { shape }) => sum + shape.reduce((size, dimension) => size * dimension, 1),
        0,
      );
      if (options.flag('json')) {
        printJson({ file: path, parameters, tensors, ...Object.fromEntries(metadata) });
        return exitCodes.success;
      }
      for (const [name, value] of metadata) printText(lines(name, value));
      printText(`parameters: ${parameters.toLocaleString('en')}`);
      printText(columns(tensors.map(({ name, dtype, shape }) => [`  ${name}`, dtype, `[${shape.join(', ')}]`])));
      return exitCodes.success;
    } finally {
      await file.close();
    }
  },
};

// Metadata is text; what this package wrote is JSON.
function parse(path: string, text: string): JsonValue {
  if (!/^[[{"]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CudnnGruError('ERR_FORMAT', `${path}: the metadata is not JSON`, { cause });
  }
}

// One level of names is indented; what lies deeper is short enough for a line.
function lines(name: string, value: JsonValue): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${name}: ${brief(value)}`;
  return [`${name}:`, ...Object.entries(value).map(([key, item]) => `  ${key}: ${brief(item)}`)].join('\n');
}

function brief(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(Number(value.toPrecision(6)));
  return JSON.stringify(value, (_, item) => (typeof item === 'number' ? Number(item.toPrecision(6)) : item));
}
