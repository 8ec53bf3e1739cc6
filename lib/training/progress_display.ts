import type { EpochRecord, Progress } from './types.js';

/** Shows a training on stderr: pass `onProgress` and `onEpoch` to the Trainer, and call `stop` when it has ended. */
export interface ProgressDisplay {
  onProgress(progress: Progress): void;
  onEpoch(record: EpochRecord): void;
  stop(): void;
}

// Where no bar can be drawn: at least one line in so many milliseconds.
const lineInterval = 10_000;

/** A live bar on a terminal, one line for each epoch elsewhere. */
export async function progressDisplay(): Promise<ProgressDisplay> {
  return process.stderr.isTTY ? await bar() : lines();
}

async function bar(): Promise<ProgressDisplay> {
  const [{ default: cliProgress }, { default: colors }] = await Promise.all([
    import('cli-progress'),
    import('picocolors'),
  ]);
  const display = new cliProgress.SingleBar({
    stream: process.stderr,
    format: `${colors.cyan('{bar}')} {text}`,
    barsize: 12,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    // The caller decides what an interrupt does.
    gracefulExit: false,
  });
  let latest: Progress | undefined;
  const show = (progress: Progress) => {
    if (!latest) display.start(progress.steps, progress.step, { text: describe(progress) });
    latest = progress;
    display.update(progress.step, { text: describe(progress) });
  };
  return {
    onProgress: show,
    onEpoch: (record) => {
      if (latest) show({ ...latest, trainLoss: record.trainLoss, validationLoss: record.validationLoss });
    },
    stop: () => display.stop(),
  };
}

function lines(): ProgressDisplay {
  let latest: Progress | undefined;
  let lastLine = performance.now();
  const print = (progress: Progress) => {
    process.stderr.write(`${describe(progress)}\n`);
    lastLine = performance.now();
  };
  return {
    onProgress: (progress) => {
      latest = progress;
      if (performance.now() - lastLine > lineInterval) print(progress);
    },
    onEpoch: (record) => {
      if (latest) print({ ...latest, trainLoss: record.trainLoss, validationLoss: record.validationLoss });
    },
    stop: () => undefined,
  };
}

function describe(progress: Progress): string {
  const { epoch, epochs, step, steps, trainLoss, validationLoss, sequencesPerSecond, secondsLeft } = progress;
  return [
    `epoch ${epoch}/${epochs}`,
    `step ${step}/${steps}`,
    trainLoss !== null && `loss ${trainLoss.toFixed(4)}`,
    validationLoss !== null && `validation ${validationLoss.toFixed(4)}`,
    `${Math.round(sequencesPerSecond).toLocaleString('en')} sequences/s`,
    `${duration(secondsLeft)} left`,
  ]
    .filter((part) => part !== false)
    .join('  ');
}

/** Seconds as people say them: `8 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
