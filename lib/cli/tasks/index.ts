import { forecast } from './forecast.js';
import type { Task } from './task.js';

/** Every task of the command line. */
export const tasks: readonly Task[] = [forecast];
