import type { RowGroup, SchemaElement } from 'hyparquet';
import type { HostArray } from '../../data/types.js';
import type { TensorSpec } from '../signature.js';
import { parquetWriter } from './parquet_library.js';
import type { Flushed, FormatSettings, OutputRows, RowFormat, RowFormatState } from './sinks.js';

// Numbers of a row group, at most: they are kept until it is written.
const mostNumbers = 512 << 10;
const mostRows = 100_000;

/**
 * Parquet: a column `row`, and for each output one of numbers or of lists in lists. Rows are kept back until there are enough for a row
 * group.
 */
export async function openParquetFormat({ specs, state, bytes }: FormatSettings): Promise<RowFormat> {
  const { ByteWriter, ParquetWriter } = await parquetWriter();
  const buffer = new ByteWriter();
  const schema = [
    { name: 'root', num_children: 1 + specs.length },
    { name: 'row', type: 'INT64', repetition_type: 'REQUIRED' } as const,
    ...specs.flatMap(({ name, dtype, shape }) => elements(name, dtype, shape.length - 1)),
  ];
  const writer = new ParquetWriter({ writer: buffer, schema, codec: 'UNCOMPRESSED', createdBy: 'cudnn-gru' });
  const before = groupsOf(state);
  if (before) {
    buffer.index = 0; // not what a new file begins with
    buffer.offset = bytes;
    writer.row_groups.push(...before);
    writer.num_rows = before.reduce((sum, { num_rows }) => sum + num_rows, 0n);
  }
  let rows: bigint[] = [];
  let values: unknown[][] = specs.map(() => []);
  let numbers = 0;

  const taken = () => {
    const written = buffer.getBytes().slice();
    buffer.index = 0;
    return written;
  };
  const writeGroup = () => {
    if (rows.length === 0) return;
    const plain = { encoding: 'PLAIN', statistics: false, offsetIndex: false } as const;
    const columnData = [
      { name: 'row', data: rows, encoding: 'DELTA_BINARY_PACKED' as const, offsetIndex: false },
      ...specs.map(({ name }, i) => ({ name, data: values[i] as unknown[], ...plain })),
    ];
    writer.write({ columnData, rowGroupSize: rows.length });
    rows = [];
    values = specs.map(() => []);
    numbers = 0;
  };
  return {
    rows({ row, count, outputs }: OutputRows): Uint8Array {
      for (let i = 0; i < count; i++) rows.push(BigInt(row + i));
      for (const [output, array] of outputs.entries()) {
        for (let i = 0; i < count; i++) values[output]?.push(rowOf(array, count, i));
        numbers += array.data.length;
      }
      if (numbers >= mostNumbers || rows.length >= mostRows) writeGroup();
      return taken();
    },
    flush(): Flushed {
      writeGroup();
      return { bytes: taken(), state: { rowGroups: JSON.stringify(writer.row_groups, bigintToJson) } };
    },
    end(): Uint8Array {
      writeGroup();
      void writer.finish();
      return taken();
    },
    finalStart() {
      return undefined;
    },
  };
}

// A number, or lists of `depth` levels, as Parquet's LogicalTypes.md spells them.
function elements(name: string, dtype: TensorSpec['dtype'], depth: number): SchemaElement[] {
  if (depth === 0) return [{ name, type: dtype === 'int32' ? 'INT32' : 'FLOAT', repetition_type: 'REQUIRED' }];
  return [
    { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...elements('element', dtype, depth - 1),
  ];
}

function rowOf({ data, shape }: HostArray, count: number, row: number): unknown {
  const width = data.length / count;
  return nested(data.subarray(row * width, (row + 1) * width), shape.slice(1));
}

function nested(data: HostArray['data'], shape: readonly number[]): unknown {
  if (shape.length === 0) return data[0];
  if (shape.length === 1) return Array.from(data);
  const width = data.length / (shape[0] as number);
  return Array.from({ length: shape[0] as number }, (_, i) =>
    nested(data.subarray(i * width, (i + 1) * width), shape.slice(1)),
  );
}

// JSON has no bigint.
function bigintToJson(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { bigint: String(value) } : value;
}

function groupsOf(state: RowFormatState): RowGroup[] | undefined {
  if (typeof state?.rowGroups !== 'string') return undefined;
  return JSON.parse(state.rowGroups, (_, value) =>
    typeof value?.bigint === 'string' ? BigInt(value.bigint) : value,
  ) as RowGroup[];
}
