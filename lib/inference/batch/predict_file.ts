import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { checkInteger, checkOneOf, checkOptions, checkString, quote, wrongRange } from '../../arguments.js';
import type { HostArray } from '../../data/types.js';
import { fileError } from '../../formats/files.js';
import type { Module } from '../../layers/module.js';
import type { Signature, TensorSpec } from '../signature.js';
import { type Computed, computeRows } from './compute_rows.js';
import { Executors } from './executors.js';
import { NpySource } from './npy_source.js';
import { OutputFile } from './output_file.js';
import { type BatchOptions, batchOptions, onlyInput, withBatchSize } from './predict_rows.js';
import { modelDigest, type Progress, readProgress, removeProgress, writeProgress } from './progress_file.js';
import { RowChecker } from './row_values.js';
import { type OutputKind, type RowFormat, rowFormat } from './sinks.js';
import { isBad, type RowSource, refuseRow, type SourcePosition } from './source.js';
import { openCsv, openJsonLines } from './text_rows.js';
import { Turns } from './turns.js';

export interface PredictFileOptions extends BatchOptions {
  /** The rows: .npy [rows, ...], .csv with a header and all numbers of a row in a line, or .jsonl with nested arrays. */
  input: string;
  /** .npy, .csv or .jsonl; it has its name when it is complete. */
  output: string;
  /** Which of the model's outputs to write. Default: all in .jsonl, else the first. */
  outputs?: readonly string[];
  /** What a row that cannot be computed does: 'stop' ends with its number, 'skip' goes on without it. Default: 'stop'. */
  onError?: 'stop' | 'skip';
  /** Where skipped rows are listed (.jsonl), with their numbers and reasons. Default: nowhere. */
  errorsOut?: string;
  /** This process takes the `index`-th of `count` parts of the rows, and writes a file of its own. Default: all rows. */
  shard?: { index: number; count: number };
  /** Told now and then, and at the end. */
  onProgress?: (progress: FileProgress) => void;
}

export interface FileProgress {
  /** Computed by this process. */
  readonly rows: number;
  readonly rowsPerSecond: number;
  /** Of the part of the file that is this process's, from 0 to 1. */
  readonly fraction: number;
  readonly secondsLeft: number;
}

export interface PredictedFile {
  readonly output: string;
  /** Rows in the output, those of earlier processes included. */
  readonly rows: number;
  readonly badRows: number;
  /** Rows of the input that an earlier process had done. */
  readonly resumedAt: number;
  /** 0 when there was nothing to compute. */
  readonly batchSize: number;
}

const optionNames = [...batchOptions, 'input', 'output', 'outputs', 'onError', 'errorsOut', 'shard', 'onProgress'];
// How much work a crash may cost.
const saveMilliseconds = 1000;
const progressMilliseconds = 200;

/**
 * What a model makes of each row of a file, in a file, in their order. Memory is bounded whatever the files' sizes: reading, computing and
 * writing overlap, and the slowest holds back the others.
 *
 * A process that ended early, however, is gone on with by the same call: what is on the disk under `output`.partial is kept as
 * far as `output`.progress knows of it. With `shard`, that file stays when all is done, and the same call again does nothing.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` with the number of a bad row, `ERR_FILE`, `ERR_FORMAT`, `ERR_UNSUPPORTED`,
 * `ERR_ABORTED`, those of the operations
 */
export async function predictFile(model: Module, options: PredictFileOptions): Promise<PredictedFile> {
  checkOptions(options, 'options', optionNames);
  const input = checkString(options.input, 'input');
  const onError = checkOneOf(options.onError ?? 'stop', 'onError', ['stop', 'skip']);
  const shard = checkShard(options.shard);
  const output = shard
    ? shardPath(checkString(options.output, 'output'), shard)
    : checkString(options.output, 'output');
  const kind = kindOf(output, 'output');
  const executors = await Executors.of(model, options.devices ?? []);
  let source: RowSource | undefined;
  try {
    const specs = outputsOf(executors.signature, kind, options.outputs);
    source = await openSource(input, executors.signature);
    const identity = {
      version: 1,
      input: await fileIdentity(input),
      model: await modelDigest(model),
      outputs: specs.map(({ name }) => name),
      onError,
      errorsOut: options.errorsOut ?? null,
      shard: shard ?? null,
    };
    const before = await readProgress(output, identity);
    if (before?.done)
      return { output, rows: before.rows, badRows: before.badRows, resumedAt: before.rows, batchSize: 0 };
    const run = await FileRun.open(
      { input, output, kind, specs, identity, onError, errorsOut: options.errorsOut },
      before,
    );
    return await run.compute(source, executors, options, shard);
  } finally {
    await source?.close();
    executors.dispose();
  }
}

interface RunSettings {
  input: string;
  output: string;
  kind: OutputKind;
  specs: readonly TensorSpec[];
  identity: Progress['identity'];
  onError: 'stop' | 'skip';
  errorsOut: string | undefined;
}

// One process's work on one output.
class FileRun {
  readonly #settings: RunSettings;
  readonly #format: RowFormat;
  readonly #file: OutputFile;
  readonly #errors: OutputFile | undefined;
  readonly #selected: number[] = [];
  #resumed: Progress | undefined;
  #position: SourcePosition = { rows: 0, end: 0 };
  #rows = 0;
  #badRows = 0;
  #saved = false;
  #savedAt = performance.now();

  private constructor(settings: RunSettings, file: OutputFile, errors: OutputFile | undefined) {
    this.#settings = settings;
    this.#format = rowFormat(settings.kind, settings.specs, settings.output);
    this.#file = file;
    this.#errors = errors;
  }

  static async open(settings: RunSettings, before: Progress | undefined): Promise<FileRun> {
    const resumed = before && (await isThere(OutputFile.partOf(settings.output))) ? before : undefined;
    const file = await OutputFile.open(settings.output, resumed?.bytes ?? 0);
    const { errorsOut } = settings;
    const errors =
      errorsOut === undefined
        ? undefined
        : await OutputFile.open(errorsOut, resumed?.errorBytes ?? 0).catch(async (error: unknown) => {
            await file.abandon(resumed !== undefined);
            throw error;
          });
    const run = new FileRun(settings, file, errors);
    if (resumed) {
      run.#resumed = resumed;
      run.#saved = true;
      run.#position = resumed.position;
      run.#rows = resumed.rows;
      run.#badRows = resumed.badRows;
      run.#format.resume(resumed.format);
    }
    return run;
  }

  async compute(
    source: RowSource,
    executors: Executors,
    options: PredictFileOptions,
    shard: { index: number; count: number } | undefined,
  ): Promise<PredictedFile> {
    const { output, specs } = this.#settings;
    this.#selected.push(...specs.map((spec) => executors.signature.outputs.indexOf(spec)));
    try {
      const range = await rangeOf(source, shard);
      if (!this.#resumed) this.#position = { rows: range.first, end: 0 };
      const resumedAt = this.#position.rows - range.first;
      const left = range.first + range.rows - this.#position.rows;
      const { batchSize, items } = await withBatchSize(source.read(this.#position, left), executors, options);
      const report = progressReport(options.onProgress, source, this.#position, left);
      const turns = new Turns();
      for await (const window of computeRows(items, executors, { ...options, batchSize })) {
        for (const computed of window) {
          await this.#write(computed);
          if (turns.due) await turns.next();
        }
        report(this.#position, false);
        if (performance.now() - this.#savedAt > saveMilliseconds) await this.#save();
      }
      await this.#finish();
      report(this.#position, true);
      return { output, rows: this.#rows, badRows: this.#badRows, resumedAt, batchSize };
    } catch (error) {
      await this.#file.abandon(this.#saved);
      await this.#errors?.abandon(this.#saved);
      throw error;
    }
  }

  async #write({ item, outputs }: Computed): Promise<void> {
    if (isBad(item)) {
      if (this.#settings.onError === 'stop') refuseRow(this.#settings.input, item);
      await this.#errors?.write(Buffer.from(`${JSON.stringify({ row: item.row, reason: item.reason })}\n`));
      this.#badRows++;
      this.#position = { rows: item.row, end: item.end };
      return;
    }
    const selected = this.#selected.map((output) => outputs[output] as HostArray);
    if (this.#file.bytes === 0) await this.#file.write(this.#format.start(selected[0] as HostArray));
    await this.#file.write(this.#format.rows(item, selected));
    this.#rows += item.count;
    this.#position = { rows: item.row + item.count - 1, end: item.end };
  }

  async #save(done = false): Promise<void> {
    if (!done) {
      await this.#file.flush();
      await this.#errors?.flush();
    }
    await writeProgress(this.#settings.output, {
      identity: this.#settings.identity,
      done,
      position: this.#position,
      rows: this.#rows,
      badRows: this.#badRows,
      bytes: this.#file.bytes,
      errorBytes: this.#errors?.bytes ?? 0,
      format: this.#format.state(),
    });
    this.#saved = true;
    this.#savedAt = performance.now();
  }

  async #finish(): Promise<void> {
    const { output, specs, identity } = this.#settings;
    if (this.#file.bytes === 0) {
      const shape = specs[0]?.shape.map((axis, i) => (i === 0 || typeof axis === 'string' ? 0 : axis)) ?? [];
      await this.#file.write(this.#format.start({ data: new Float32Array(0), shape }));
    }
    const start = this.#rows > 0 ? this.#format.finalStart(this.#rows) : undefined;
    if (start) await this.#file.patch(start);
    await this.#errors?.finish();
    await this.#file.finish();
    if (identity.shard === null) await removeProgress(output);
    else await this.#save(true);
  }
}

function progressReport(
  onProgress: PredictFileOptions['onProgress'],
  source: RowSource,
  from: SourcePosition,
  left: number,
): (position: SourcePosition, last: boolean) => void {
  if (!onProgress) return () => {};
  const start = performance.now();
  let told = start;
  return (position, last) => {
    const now = performance.now();
    if (!last && now - told < progressMilliseconds) return;
    told = now;
    const rows = position.rows - from.rows;
    const seconds = Math.max(1e-3, (now - start) / 1000);
    const bytes = source.size - from.end;
    const done = Number.isFinite(left) ? rows / Math.max(1, left) : (position.end - from.end) / Math.max(1, bytes);
    const fraction = last ? 1 : Math.min(1, done);
    const secondsLeft = fraction > 0 ? (seconds * (1 - fraction)) / fraction : Number.POSITIVE_INFINITY;
    onProgress({ rows, rowsPerSecond: rows / seconds, fraction, secondsLeft });
  };
}

async function rangeOf(
  source: RowSource,
  shard: { index: number; count: number } | undefined,
): Promise<{ first: number; rows: number }> {
  if (!shard) return { first: 0, rows: Number.POSITIVE_INFINITY };
  const total = await source.countRows();
  const first = Math.floor((total * (shard.index - 1)) / shard.count);
  return { first, rows: Math.floor((total * shard.index) / shard.count) - first };
}

function checkShard(shard: unknown): { index: number; count: number } | undefined {
  if (shard === undefined) return undefined;
  checkOptions(shard, 'shard', ['index', 'count']);
  const { index, count } = shard as { index: unknown; count: unknown };
  const checked = checkInteger(count, 'shard.count', { min: 1, max: 99_999 });
  return { index: checkInteger(index, 'shard.index', { min: 1, max: checked }), count: checked };
}

// predictions.npy → predictions-2-of-8.npy
function shardPath(output: string, { index, count }: { index: number; count: number }): string {
  const end = extname(output);
  return `${output.slice(0, output.length - end.length)}-${index}-of-${count}${end}`;
}

function kindOf(path: string, name: string): OutputKind {
  const kind = extname(path).slice(1).toLowerCase();
  if (kind === 'npy' || kind === 'csv' || kind === 'jsonl') return kind;
  throw wrongRange(name, 'a file name that ends in .npy, .csv or .jsonl', path);
}

function openSource(path: string, signature: Signature): Promise<RowSource> {
  const spec = onlyInput(signature.inputs);
  const checker = new RowChecker(spec);
  const kind = kindOf(path, 'input');
  if (kind === 'npy') return NpySource.open(path, checker);
  return kind === 'csv' ? openCsv(path, checker) : openJsonLines(path, spec.name, checker);
}

function outputsOf(
  { outputs }: Signature,
  kind: OutputKind,
  names: readonly string[] | undefined,
): readonly TensorSpec[] {
  if (names === undefined) return kind === 'jsonl' ? outputs : outputs.slice(0, 1);
  if (kind !== 'jsonl' && names.length !== 1) throw wrongRange('outputs', `one name for a .${kind} file`, [...names]);
  return names.map((name) => {
    const found = outputs.find((output) => output.name === name);
    if (found) return found;
    throw wrongRange('outputs', `names among ${outputs.map((output) => quote(output.name)).join(', ')}`, name);
  });
}

async function fileIdentity(path: string): Promise<{ path: string; size: number; changed: number }> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { path: resolve(path), size, changed: mtimeMs };
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
