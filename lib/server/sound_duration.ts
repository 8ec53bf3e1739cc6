import { quote } from '../arguments.js';
import { argumentRangeError } from '../errors.js';
import { type Transcriber, transcriberPreprocessingOf } from '../tasks/index.js';

/**
 * @param name of the argument that holds the sound
 * @param samples how many it has
 * @param remedy what the client can do, for the end of the message
 * @throws RangeError for a sound of more than `maxSteps` steps of the model
 */
export function checkDuration(
  name: string,
  samples: number,
  model: Transcriber,
  maxSteps: number,
  remedy?: string,
): void {
  const { hopSize, sampleRate } = transcriberPreprocessingOf(model).frontEnd;
  const most = maxSteps * model.stacking * hopSize;
  if (samples <= most) return;
  const seconds = (count: number) => `${(count / sampleRate).toFixed(1)} s`;
  throw argumentRangeError(
    `${name}: a sound of ${seconds(samples)}; ${seconds(most)} are allowed (${quote('maxSteps')})${remedy ? `: ${remedy}` : ''}`,
  );
}
