import { CudnnGruError } from '../../errors.js';
import { ParquetSource } from './parquet_source.js';
import type { SourceAnswer, SourceRequest, SourceSettings } from './remote_source.js';
import { RowChecker } from './row_values.js';
import { isBad, type RowSource, type SourceItem } from './source.js';
import { openCsv, openJsonLines } from './text_rows.js';
import { answerRequests } from './thread.js';

// The thread of a RemoteSource.

// What goes to the other thread at once.
const mostBytes = 512 << 10;
const mostItems = 512;

let source: RowSource | undefined;
let items: AsyncGenerator<SourceItem> | undefined;

answerRequests<SourceRequest, SourceAnswer>(async (request) => {
  if ('open' in request) {
    source = await open(request.open);
    return { value: { size: source.size } };
  }
  if (!source) throw new CudnnGruError('ERR_INTERNAL', 'no file is open');
  if ('count' in request) return { value: { rows: await source.countRows() } };
  if ('read' in request) {
    items = source.read(request.read, request.rows);
    return { value: { items: [] } };
  }
  const next = await nextItems();
  return {
    value: { items: next },
    transfer: next.flatMap((item) => (isBad(item) ? [] : [item.data.buffer as ArrayBuffer])),
  };
});

function open({ kind, path, spec, columns }: SourceSettings): Promise<RowSource> {
  const checker = new RowChecker(spec);
  if (kind === 'parquet') return ParquetSource.open(path, spec.name, checker, columns);
  return kind === 'csv' ? openCsv(path, checker, columns) : openJsonLines(path, spec.name, checker);
}

async function nextItems(): Promise<SourceItem[]> {
  const next: SourceItem[] = [];
  for (let bytes = 0; bytes < mostBytes && next.length < mostItems; ) {
    const { value, done } = (await items?.next()) ?? { done: true };
    if (done) break;
    const item = value as SourceItem;
    next.push(item);
    bytes += isBad(item) ? 0 : item.data.byteLength;
  }
  return next;
}
