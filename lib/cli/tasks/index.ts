import { classify } from './classify.js';
import { detect } from './detect.js';
import { forecast } from './forecast.js';
import { generate } from './generate.js';
import type { Task } from './task.js';
import { transcribe } from './transcribe.js';
import { translate } from './translate.js';

/** Every task of the command line. */
export const tasks: readonly Task[] = [forecast, classify, detect, generate, translate, transcribe];
