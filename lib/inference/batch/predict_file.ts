import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { checkInteger, checkOneOf, checkOptions, checkString, quote, wrongRange } from '../../arguments.js';
import type { HostArray } from '../../data/types.js';
import { fileError } from '../../formats/files.js';
import type { Module } from '../../layers/module.js';
import { Turns } from '../../turns.js';
import type { Signature, TensorSpec } from '../signature.js';
import { type Computed, computeRows } from './compute_rows.js';
import { Executors } from './executors.js';
import { NpySource } from './npy_source.js';
import { OutputFile } from './output_file.js';
import { type BatchOptions, batchOptions, onlyInput, withBatchSize } from './predict_rows.js';
import { modelDigest, type Progress, readProgress, removeProgress, writeProgress } from './progress_file.js';
import { RemoteFormat } from './remote_format.js';
import { RemoteSource } from './remote_source.js';
import { RowChecker } from './row_values.js';
import { type FormatSettings, type OutputKind, type OutputRows, type RowFormat, rowFormat } from './sinks.js';
import { isBad, type RowBlock, type RowSource, refuseRow, type SourcePosition } from './source.js';

export interface PredictFileOptions extends BatchOptions {
  /**
   * The rows: .npy [rows, ...]; .csv with a header and all numbers of a row in a line; .jsonl with nested arrays; .parquet with lists in a
   * column named as the model's input, or with all numbers of a row in columns.
   */
  input: string;
  /** .npy, .csv, .jsonl or .parquet; it has its name when it is complete. */
  output: string;
  /** Columns of a .csv or .parquet file that are read, in their order. Default: all, or the one of lists. */
  columns?: readonly string[];
  /** Which of the model's outputs to write. Default: all in .jsonl and .parquet, else the first. */
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

const ownOptions = ['input', 'output', 'columns', 'outputs', 'onError', 'errorsOut', 'shard', 'onProgress'];
const optionNames = [...batchOptions, ...ownOptions];
// How much work a crash may cost; more where saving takes longer than a twentieth of it.
const saveMilliseconds = 1000;
const saveShare = 20;
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
    source = await openSource(input, executors.signature, options.columns);
    const identity = {
      version: 2,
      input: await fileIdentity(input),
      columns: options.columns ?? null,
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
  readonly #resumed: Progress | undefined;
  #position: SourcePosition;
  #rows: number;
  #badRows: number;
  #savedAt = performance.now();
  #saveAfter = saveMilliseconds;

  private constructor(
    settings: RunSettings,
    format: RowFormat,
    { file, errors }: { file: OutputFile; errors: OutputFile | undefined },
    resumed: Progress | undefined,
  ) {
    this.#settings = settings;
    this.#format = format;
    this.#file = file;
    this.#errors = errors;
    this.#resumed = resumed;
    this.#position = resumed?.position ?? { rows: 0, end: 0 };
    this.#rows = resumed?.rows ?? 0;
    this.#badRows = resumed?.badRows ?? 0;
  }

  static async open(settings: RunSettings, before: Progress | undefined): Promise<FileRun> {
    const { output, kind, specs, errorsOut } = settings;
    const resumed = before && (await isThere(OutputFile.partOf(output))) ? before : undefined;
    const bytes = resumed?.bytes ?? 0;
    const format = await openFormat({ kind, specs, path: output, state: resumed?.format ?? null, bytes });
    let file: OutputFile | undefined;
    try {
      file = await OutputFile.open(output, bytes);
      const errors = errorsOut === undefined ? undefined : await OutputFile.open(errorsOut, resumed?.errorBytes ?? 0);
      return new FileRun(settings, format, { file, errors }, resumed);
    } catch (error) {
      await file?.abandon(resumed !== undefined);
      await format.close?.();
      throw error;
    }
  }

  async compute(
    source: RowSource,
    executors: Executors,
    options: PredictFileOptions,
    shard: { index: number; count: number } | undefined,
  ): Promise<PredictedFile> {
    const { output, specs } = this.#settings;
    const wanted = specs.map((spec) => executors.signature.outputs.indexOf(spec));
    let isSaved = this.#resumed !== undefined;
    try {
      const range = await rangeOf(source, shard);
      if (!this.#resumed) this.#position = { rows: range.first, end: 0 };
      const resumedAt = this.#position.rows - range.first;
      const left = range.first + range.rows - this.#position.rows;
      const { batchSize, items } = await withBatchSize(source.read(this.#position, left), executors, options);
      const report = progressReport(options.onProgress, source, this.#position, left);
      const turns = new Turns();
      for await (const window of computeRows(items, executors, { ...options, batchSize, wanted })) {
        for (const computed of window) {
          await this.#write(computed);
          if (turns.due) await turns.next();
        }
        report(this.#position, false);
        if (performance.now() - this.#savedAt < this.#saveAfter) continue;
        await this.#save();
        isSaved = true;
      }
      await this.#finish();
      report(this.#position, true);
      return { output, rows: this.#rows, badRows: this.#badRows, resumedAt, batchSize };
    } catch (error) {
      await this.#file.abandon(isSaved);
      await this.#errors?.abandon(isSaved);
      throw error;
    } finally {
      await this.#format.close?.();
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
    for (const rows of partsOf(item, outputs)) await this.#file.write(await this.#format.rows(rows));
    this.#rows += item.count;
    this.#position = { rows: item.row + item.count - 1, end: item.end };
  }

  async #save(): Promise<void> {
    const start = performance.now();
    const { bytes, state } = await this.#format.flush();
    await this.#file.write(bytes);
    await this.#file.flush();
    await this.#errors?.flush();
    await this.#writeProgress(false, state);
    this.#savedAt = performance.now();
    this.#saveAfter = Math.max(saveMilliseconds, saveShare * (this.#savedAt - start));
  }

  #writeProgress(done: boolean, format: Progress['format']): Promise<void> {
    return writeProgress(this.#settings.output, {
      identity: this.#settings.identity,
      done,
      position: this.#position,
      rows: this.#rows,
      badRows: this.#badRows,
      bytes: this.#file.bytes,
      errorBytes: this.#errors?.bytes ?? 0,
      format,
    });
  }

  async #finish(): Promise<void> {
    const { output, identity } = this.#settings;
    await this.#file.write((await this.#format.flush()).bytes);
    await this.#file.write(await this.#format.end());
    const start = this.#format.finalStart(this.#rows);
    if (start) await this.#file.patch(start);
    await this.#errors?.finish();
    await this.#file.finish();
    if (identity.shard === null) await removeProgress(output);
    else await this.#writeProgress(true, null);
  }
}

// Numbers that are made into bytes at once.
const mostNumbers = 64 << 10;

// A block, in parts where its outputs are large.
function* partsOf({ row, count }: RowBlock, outputs: readonly HostArray[]): Generator<OutputRows> {
  const numbers = outputs.reduce((sum, { data }) => sum + data.length, 0) / count;
  const most = Math.max(1, Math.floor(mostNumbers / numbers));
  for (let first = 0; first < count; first += most) {
    const part = Math.min(most, count - first);
    const rows = ({ data, shape }: HostArray) => {
      const width = data.length / count;
      return { data: data.subarray(first * width, (first + part) * width), shape: [part, ...shape.slice(1)] };
    };
    yield { row: row + first, count: part, outputs: outputs.map(rows) };
  }
}

function openFormat(settings: FormatSettings): Promise<RowFormat> {
  return settings.kind === 'npy' ? rowFormat(settings) : RemoteFormat.open(settings);
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
  if (kind === 'npy' || kind === 'csv' || kind === 'jsonl' || kind === 'parquet') return kind;
  throw wrongRange(name, 'a file name that ends in .npy, .csv, .jsonl or .parquet', path);
}

function openSource(path: string, signature: Signature, columns: readonly string[] | undefined): Promise<RowSource> {
  const spec = onlyInput(signature.inputs);
  const kind = kindOf(path, 'input');
  if (columns !== undefined && kind !== 'csv' && kind !== 'parquet') {
    throw wrongRange('columns', 'columns of a .csv or .parquet file', path);
  }
  if (kind === 'npy') return NpySource.open(path, new RowChecker(spec));
  return RemoteSource.open({ kind, path, spec, ...(columns && { columns: [...columns] }) });
}

function outputsOf(
  { outputs }: Signature,
  kind: OutputKind,
  names: readonly string[] | undefined,
): readonly TensorSpec[] {
  const holdsAll = kind === 'jsonl' || kind === 'parquet';
  if (names === undefined) return holdsAll ? outputs : outputs.slice(0, 1);
  if (!holdsAll && names.length !== 1) throw wrongRange('outputs', `one name for a .${kind} file`, [...names]);
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
